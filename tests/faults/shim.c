/* Preloaded into a process: makes the N-th write, fsync, rename, open, unlink or mkdir below one folder fail.

   Armed from inside by fault_arm(); counts only what touches files below the folder, and says afterwards by
   fault_fired() and fault_seen() what it did. Everything else goes straight to the C library. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, RENAME = 4, OPEN = 8, UNLINK = 16, MKDIR = 32 };

static char folder[PATH_MAX];
static int operations, number, code, lasting, seen, fired;

void fault_arm(const char *below, int ops, int n, int error, int from_then_on) {
    snprintf(folder, sizeof folder, "%s", below);
    operations = ops; number = n; code = error; lasting = from_then_on; seen = fired = 0;
}
int fault_seen(void) { return seen; }
int fault_fired(void) { return fired; }

/* For processes that nobody can call into, such as a server's worker: armed by the environment. */
__attribute__((constructor)) static void arm_by_environment(void) {
    const char *below = getenv("FAULT_BELOW"), *ops = getenv("FAULT_OPERATIONS"), *n = getenv("FAULT_NUMBER");
    const char *error = getenv("FAULT_ERRNO"), *lasts = getenv("FAULT_LASTING");
    if (below && ops && n && error) fault_arm(below, atoi(ops), atoi(n), atoi(error), lasts && atoi(lasts));
}

static int below(const char *path) {
    size_t length = strlen(folder);
    return length && path && strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static int struck(int operation) {
    if (!(operations & operation)) return 0;
    int now = __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
    if (now != number && !(lasting && now > number)) return 0;
    fired = 1;
    errno = code;
    return 1;
}

static int path_struck(int operation, int at, const char *path) {
    char whole[PATH_MAX];
    if (!operations || !folder[0] || !path) return 0;
    if (path[0] != '/') {  /* relative to a folder's descriptor, or to the working directory */
        char link[64], base[PATH_MAX];
        ssize_t length;
        if (at == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return 0;
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", at);
            if ((length = readlink(link, base, sizeof base - 1)) < 0) return 0;
            base[length] = 0;
        }
        if (snprintf(whole, sizeof whole, "%s/%s", base, path) >= (int)sizeof whole) return 0;
        path = whole;
    }
    return below(path) && struck(operation);
}

static int descriptor_struck(int operation, int descriptor) {
    char link[64], path[PATH_MAX];
    ssize_t length;
    if (!(operations & operation) || !folder[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    int before = errno;
    length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length < 0) return 0;
    path[length] = 0;
    return below(path) && struck(operation);
}

#define NEXT(name) \
    static __typeof__(&name) next; \
    if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int d, const void *b, size_t n) { NEXT(write); return descriptor_struck(WRITE, d) ? -1 : next(d, b, n); }
ssize_t writev(int d, const struct iovec *v, int n) { NEXT(writev); return descriptor_struck(WRITE, d) ? -1 : next(d, v, n); }
ssize_t pwrite(int d, const void *b, size_t n, off_t o) { NEXT(pwrite); return descriptor_struck(WRITE, d) ? -1 : next(d, b, n, o); }
ssize_t pwrite64(int d, const void *b, size_t n, off64_t o) { NEXT(pwrite64); return descriptor_struck(WRITE, d) ? -1 : next(d, b, n, o); }
int ftruncate(int d, off_t n) { NEXT(ftruncate); return descriptor_struck(WRITE, d) ? -1 : next(d, n); }
int ftruncate64(int d, off64_t n) { NEXT(ftruncate64); return descriptor_struck(WRITE, d) ? -1 : next(d, n); }
int posix_fallocate(int d, off_t o, off_t n) { NEXT(posix_fallocate); return descriptor_struck(WRITE, d) ? code : next(d, o, n); }
int fsync(int d) { NEXT(fsync); return descriptor_struck(SYNC, d) ? -1 : next(d); }
int fdatasync(int d) { NEXT(fdatasync); return descriptor_struck(SYNC, d) ? -1 : next(d); }
int rename(const char *a, const char *b) { NEXT(rename); return path_struck(RENAME, AT_FDCWD, b) ? -1 : next(a, b); }
int renameat(int x, const char *a, int y, const char *b) { NEXT(renameat); return path_struck(RENAME, y, b) ? -1 : next(x, a, y, b); }
int link(const char *a, const char *b) { NEXT(link); return path_struck(RENAME, AT_FDCWD, b) ? -1 : next(a, b); }
int unlink(const char *a) { NEXT(unlink); return path_struck(UNLINK, AT_FDCWD, a) ? -1 : next(a); }
int unlinkat(int x, const char *a, int f) { NEXT(unlinkat); return path_struck(UNLINK, x, a) ? -1 : next(x, a, f); }
int mkdir(const char *a, mode_t m) { NEXT(mkdir); return path_struck(MKDIR, AT_FDCWD, a) ? -1 : next(a, m); }

#define OPENED(name) \
int name(const char *path, int flags, ...) { \
    NEXT(name); \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); } \
    return path_struck(OPEN, AT_FDCWD, path) ? -1 : next(path, flags, mode); \
}
OPENED(open)
OPENED(open64)

int openat(int at, const char *path, int flags, ...) {
    NEXT(openat);
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }
    return path_struck(OPEN, at, path) ? -1 : next(at, path, flags, mode);
}
