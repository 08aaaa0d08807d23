/* Calls to the file system below one folder that fail from the n-th on, or at the n-th alone: preloaded into a process,
   so that Python, Arrow, DuckDB and SQLite all meet them where the system would give them. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { READS = 1, WRITES = 2, PATHS = 4 };

static char folder[4096], hit[4096];
static atomic_long calls;
static atomic_int armed, struck;
static long wanted;
static int code, kinds, lasting;
static int noted = -1;
static unsigned char below[65536];

void faulty_arm(const char *path, long nth, int error, int of, int lasts) {
    snprintf(folder, sizeof folder, "%s", path);
    wanted = nth, code = error, kinds = of, lasting = lasts;
    hit[0] = 0;
    atomic_store(&calls, 0);
    atomic_store(&struck, 0);
    atomic_store(&armed, 1);
}

long faulty_disarm(void) {
    atomic_store(&armed, 0);
    return atomic_load(&calls);
}

const char *faulty_hit(void) { return hit; }

/* Note each call in a file, and let none fail; -1 for no file. */
void faulty_note(int fd) { noted = fd; }

static void note(const char *call, const char *what) {
    char line[8192];
    int size = snprintf(line, sizeof line, "%s %s\n", call, what);
    if (size > 0) syscall(SYS_write, noted, line, (size_t)size);
}

static int fails(int kind, const char *call, const char *what) {
    if (!atomic_load(&armed) || !(kind & kinds)) return 0;
    long now = atomic_fetch_add(&calls, 1) + 1;
    if (noted >= 0) return note(call, what), 0;
    if (now < wanted || (now > wanted && !lasting)) return 0;
    if (!atomic_exchange(&struck, 1)) snprintf(hit, sizeof hit, "%s %s", call, what);
    errno = code;
    return 1;
}

static int inside(const char *path) { return path && folder[0] && !strncmp(path, folder, strlen(folder)); }
static int path_fails(int kind, const char *call, const char *path) {
    return inside(path) && fails(kind, call, path + strlen(folder));
}
static int fd_fails(int kind, const char *call, int fd) {
    if (fd < 0 || fd >= 65536 || !below[fd] || !atomic_load(&armed) || !(kind & kinds)) return 0;
    char link[64], name[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, name, sizeof name - 1);
    name[size > 0 ? size : 0] = 0;
    return fails(kind, call, inside(name) ? name + strlen(folder) : name);
}
static int opened(int fd, const char *path) {
    if (fd >= 0 && fd < 65536) below[fd] = inside(path);
    return fd;
}
static int how(int flags) { return PATHS | ((flags & (O_WRONLY | O_RDWR | O_CREAT)) ? WRITES : READS); }

#define REAL(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))
#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        int mode = va_arg(rest, int);                                                              \
        va_end(rest);                                                                              \
        if (path_fails(how(flags), "open", path)) return -1;                                       \
        return opened(REAL(int, name, const char *, int, ...)(path, flags, mode), path);           \
    }
#define OPENAT(name)                                                                               \
    int name(int at, const char *path, int flags, ...) {                                           \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        int mode = va_arg(rest, int);                                                              \
        va_end(rest);                                                                              \
        if (path_fails(how(flags), "open", path)) return -1;                                       \
        return opened(REAL(int, name, int, const char *, int, ...)(at, path, flags, mode), path);  \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
    if (fd >= 0 && fd < 65536) below[fd] = 0;
    return REAL(int, close, int)(fd);
}

ssize_t read(int fd, void *to, size_t size) {
    return fd_fails(READS, "read", fd) ? -1 : REAL(ssize_t, read, int, void *, size_t)(fd, to, size);
}
ssize_t write(int fd, const void *from, size_t size) {
    return fd_fails(WRITES, "write", fd) ? -1 : REAL(ssize_t, write, int, const void *, size_t)(fd, from, size);
}
#define AT(kind, name, pointer)                                                                    \
    ssize_t name(int fd, pointer data, size_t size, off_t at) {                                    \
        if (fd_fails(kind, #name, fd)) return -1;                                                  \
        return REAL(ssize_t, name, int, pointer, size_t, off_t)(fd, data, size, at);               \
    }
AT(READS, pread, void *)
AT(READS, pread64, void *)
AT(WRITES, pwrite, const void *)
AT(WRITES, pwrite64, const void *)
#define SYNC(name)                                                                                 \
    int name(int fd) { return fd_fails(WRITES, #name, fd) ? -1 : REAL(int, name, int)(fd); }
SYNC(fsync)
SYNC(fdatasync)
#define CUT(name)                                                                                  \
    int name(int fd, off_t size) {                                                                 \
        return fd_fails(WRITES, #name, fd) ? -1 : REAL(int, name, int, off_t)(fd, size);           \
    }
CUT(ftruncate)
CUT(ftruncate64)

int rename(const char *from, const char *to) {
    return path_fails(PATHS | WRITES, "rename", from) ? -1 : REAL(int, rename, const char *, const char *)(from, to);
}
#define GONE(name)                                                                                 \
    int name(const char *path) {                                                                   \
        return path_fails(PATHS, #name, path) ? -1 : REAL(int, name, const char *)(path);          \
    }
GONE(unlink)
GONE(rmdir)
int mkdir(const char *path, mode_t mode) {
    return path_fails(PATHS | WRITES, "mkdir", path) ? -1 : REAL(int, mkdir, const char *, mode_t)(path, mode);
}
DIR *opendir(const char *path) {
    return path_fails(PATHS | READS, "opendir", path) ? NULL : REAL(DIR *, opendir, const char *)(path);
}
#define FACTS(name, type)                                                                          \
    int name(const char *path, struct type *facts) {                                               \
        return path_fails(PATHS, #name, path) ? -1 : REAL(int, name, const char *, struct type *)(path, facts); \
    }
FACTS(stat, stat)
FACTS(lstat, stat)
FACTS(stat64, stat64)
FACTS(lstat64, stat64)
