// "Load more": htmx puts the next page behind this one; the address then asks for both, so that reloading keeps them.

export function watchMore() {
  document.addEventListener("htmx:afterSwap", (event) => {
    const upto = event.detail.requestConfig?.elt?.dataset.upto;
    if (!upto) return;
    const address = new URL(location.href);
    address.searchParams.set("upto", upto);
    history.replaceState(history.state, "", address);
    const galleries = document.querySelectorAll(".answered > .gallery");
    galleries[galleries.length - 1]?.querySelector(".frame")?.focus({ preventScroll: true });
  });
}
