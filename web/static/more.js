// What htmx puts into the page is written into the address, so that reloading keeps it: more results, open filters.

export function watchMore() {
  document.addEventListener("htmx:afterSwap", (event) => {
    const { upto, address: given } = event.detail.requestConfig?.elt?.dataset ?? {};
    const address = new URL(given ?? location.href, location.href);
    if (given) {
      history.replaceState(history.state, "", address);
      document.querySelector("#filters a")?.focus({ preventScroll: true });
    }
    if (!upto) return;
    address.searchParams.set("upto", upto);
    history.replaceState(history.state, "", address);
    const galleries = document.querySelectorAll(".answered > .gallery");
    galleries[galleries.length - 1]?.querySelector(".frame")?.focus({ preventScroll: true });
  });
}
