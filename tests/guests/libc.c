// What a C program sees of the runtime through its C library: one test for each name that main is given.
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define CHECK(condition)                                                                       \
  do {                                                                                         \
    if (!(condition)) {                                                                        \
      printf("line %d: %s (errno %d, %s)\n", __LINE__, #condition, errno, strerror(errno));    \
      exit(1);                                                                                 \
    }                                                                                          \
  } while (0)
#define FAILS(call, code)          \
  do {                             \
    errno = 0;                     \
    CHECK((call) == -1);           \
    CHECK(errno == (code));        \
  } while (0)

static void make(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  CHECK(file);
  CHECK(fputs(text, file) >= 0);
  CHECK(fclose(file) == 0);
}

static const char *content(const char *path) {
  static char buffer[4096];
  FILE *file = fopen(path, "r");
  CHECK(file);
  size_t length = fread(buffer, 1, sizeof buffer - 1, file);
  CHECK(fclose(file) == 0);
  buffer[length] = 0;
  return buffer;
}

static void test_open_modes(void) {
  errno = 0;
  CHECK(!fopen("missing", "r") && errno == ENOENT);
  CHECK(!fopen("missing/file", "w") && errno == ENOENT);
  CHECK(!fopen(".", "w") && errno == EISDIR);
  make("file", "one");
  FILE *file = fopen("file", "a");
  CHECK(file && fputs(" two", file) >= 0 && fclose(file) == 0);
  CHECK(!strcmp(content("file"), "one two"));
  file = fopen("file", "r+");
  CHECK(file && fputs("ONE", file) >= 0 && fseek(file, -3, SEEK_END) == 0);
  CHECK(fgetc(file) == 't' && ftell(file) == 5 && fclose(file) == 0);
  CHECK(!strcmp(content("file"), "ONE two"));
  file = fopen("file", "a+");
  CHECK(file && fgetc(file) == 'O' && fputs("!", file) >= 0 && fclose(file) == 0);
  CHECK(!strcmp(content("file"), "ONE two!"));
  CHECK(!fopen("file", "wx") && errno == EEXIST);
  CHECK(fclose(fopen("file", "w")) == 0 && !strcmp(content("file"), ""));
  int fd = open("file", O_RDONLY);
  FAILS(write(fd, "x", 1), EBADF);
  CHECK(close(fd) == 0);
  FAILS(close(fd), EBADF);
  FAILS(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
  FAILS(open("file/", O_RDONLY), ENOTDIR);
}

static void test_buffered(void) {
  FILE *file = fopen("big", "w+");
  CHECK(file);
  for (int line = 0; line < 20000; line++) CHECK(fprintf(file, "line %d\n", line) > 0);
  CHECK(fflush(file) == 0 && fseek(file, 0, SEEK_SET) == 0);
  char text[64], expected[64];
  for (int line = 0; line < 20000; line++) {
    snprintf(expected, sizeof expected, "line %d\n", line);
    CHECK(fgets(text, sizeof text, file) && !strcmp(text, expected));
  }
  CHECK(!fgets(text, sizeof text, file) && feof(file));
  CHECK(ungetc('u', file) == 'u' && fgetc(file) == 'u' && fclose(file) == 0);
}

static void test_positions(void) {
  int fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0666);
  CHECK(fd >= 0);
  CHECK(write(fd, "0123456789", 10) == 10);
  CHECK(lseek(fd, -4, SEEK_END) == 6 && lseek(fd, 1, SEEK_CUR) == 7 && lseek(fd, 2, SEEK_SET) == 2);
  FAILS(lseek(fd, -3, SEEK_CUR), EINVAL);
  char one[3], two[4];
  struct iovec parts[2] = {{one, 3}, {two, 4}};
  CHECK(readv(fd, parts, 2) == 7 && !memcmp(one, "234", 3) && !memcmp(two, "5678", 4));
  CHECK(pread(fd, one, 3, 8) == 2 && pwrite(fd, "ab", 2, 12) == 2 && lseek(fd, 0, SEEK_CUR) == 9);
  CHECK(pwritev(fd, parts, 2, 0) == 7 && preadv(fd, parts, 2, 0) == 7);
  CHECK(ftruncate(fd, 5) == 0 && lseek(fd, 0, SEEK_END) == 5);
  CHECK(posix_fallocate(fd, 0, 20) == 0 && lseek(fd, 0, SEEK_END) == 20);
  CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL) == 0);
  CHECK(fsync(fd) == 0 && fdatasync(fd) == 0);
  CHECK(fcntl(fd, F_GETFL) == O_RDWR);
  CHECK(fcntl(fd, F_SETFL, O_APPEND) == 0 && (fcntl(fd, F_GETFL) & O_APPEND));
  CHECK(write(fd, "!", 1) == 1 && lseek(fd, 0, SEEK_CUR) == 21);
  CHECK(close(fd) == 0);
}

static void test_metadata(void) {
  make("file", "12345");
  struct stat status;
  CHECK(stat("file", &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 5 && status.st_nlink == 1);
  CHECK(stat(".", &status) == 0 && S_ISDIR(status.st_mode));
  struct timespec times[2] = {{1000, 5}, {2000, 6}};
  CHECK(utimensat(AT_FDCWD, "file", times, 0) == 0 && stat("file", &status) == 0);
  CHECK(status.st_atim.tv_sec == 1000 && status.st_mtim.tv_sec == 2000 && status.st_mtim.tv_nsec == 6);
  int fd = open("file", O_RDWR);
  times[0].tv_nsec = UTIME_OMIT, times[1].tv_nsec = UTIME_NOW;
  CHECK(futimens(fd, times) == 0 && fstat(fd, &status) == 0);
  CHECK(status.st_atim.tv_sec == 1000 && status.st_mtim.tv_sec > 2000);
  CHECK(access("file", R_OK | W_OK) == 0);
  FAILS(access("missing", F_OK), ENOENT);
  CHECK(unlink("file") == 0 && fstat(fd, &status) == 0 && status.st_nlink == 0 && close(fd) == 0);
}

static void test_directories(void) {
  CHECK(mkdir("dir", 0777) == 0 && mkdir("dir/sub", 0777) == 0);
  FAILS(mkdir("dir", 0777), EEXIST);
  char name[32];
  for (int number = 0; number < 200; number++) {
    snprintf(name, sizeof name, "dir/file-%d", number);
    make(name, name);
  }
  DIR *dir = opendir("dir");
  CHECK(dir);
  int files = 0, directories = 0;
  long middle = 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    if (entry->d_type == DT_REG) files++;
    if (entry->d_type == DT_DIR) directories++;
    if (files == 100 && !middle) middle = telldir(dir);
  }
  CHECK(files == 200 && directories == 3);
  seekdir(dir, middle);
  int rest = 0;
  while (readdir(dir)) rest++;
  CHECK(rest > 0 && rest < 203);
  rewinddir(dir);
  CHECK(readdir(dir) && closedir(dir) == 0);
  FAILS(rmdir("dir"), ENOTEMPTY);
  FAILS(unlink("dir"), EISDIR);
  FAILS(rmdir("dir/file-0"), ENOTDIR);
  CHECK(rename("dir/file-0", "moved") == 0 && !strcmp(content("moved"), "dir/file-0"));
  CHECK(rename("dir", "renamed") == 0 && rmdir("renamed/sub") == 0);
  CHECK(!opendir("dir") && errno == ENOENT);
  CHECK(remove("moved") == 0);
}

static void test_links(void) {
  make("file", "text");
  CHECK(link("file", "second") == 0 && symlink("file", "symbolic") == 0);
  struct stat one, two;
  CHECK(stat("second", &one) == 0 && stat("symbolic", &two) == 0 && one.st_ino == two.st_ino && one.st_nlink == 2);
  CHECK(lstat("symbolic", &one) == 0 && S_ISLNK(one.st_mode));
  char target[16];
  CHECK(readlink("symbolic", target, sizeof target) == 4 && !memcmp(target, "file", 4));
  FAILS(readlink("file", target, sizeof target), EINVAL);
  FAILS(open("symbolic", O_RDONLY | O_NOFOLLOW), ELOOP);
  CHECK(symlink("loop", "loop") == 0);
  FAILS(open("loop", O_RDONLY), ELOOP);
  CHECK(!strcmp(content("symbolic"), "text"));
}

static void test_time(void) {
  struct timespec before, after, pause = {0, 20000000};
  CHECK(clock_gettime(CLOCK_MONOTONIC, &before) == 0 && nanosleep(&pause, 0) == 0);
  CHECK(clock_gettime(CLOCK_MONOTONIC, &after) == 0);
  CHECK((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec >= 20000000);
  CHECK(clock_getres(CLOCK_REALTIME, &before) == 0 && before.tv_nsec > 0);
  CHECK(time(0) > 1700000000);
  CHECK(poll(0, 0, 5) == 0);
  struct timeval timeout = {0, 5000};
  CHECK(select(0, 0, 0, 0, &timeout) == 0);
  CHECK(sched_yield() == 0);
  unsigned char random[64] = {0}, zeros[64] = {0};
  CHECK(getentropy(random, sizeof random) == 0 && memcmp(random, zeros, sizeof zeros));
}

static void test_environment(int argc, char **argv) {
  for (int index = 2; index < argc; index++) printf("argument %s\n", argv[index]);
  for (char **variable = environ; variable && *variable; variable++) printf("variable %s\n", *variable);
  CHECK(!getenv("MISSING"));
}

static void test_copy(void) {
  char buffer[1000];
  for (ssize_t length; (length = read(0, buffer, sizeof buffer)) != 0;) {
    CHECK(length > 0);
    for (ssize_t done = 0, part; done < length; done += part) CHECK((part = write(1, buffer + done, length - done)) > 0);
  }
  fprintf(stderr, "copied\n");
}

static void test_terminals(void) {
  for (int fd = 0; fd < 3; fd++) fprintf(stderr, "%d", isatty(fd));
}

static void test_poll(void) {
  struct pollfd waiting[2] = {{0, POLLIN, 0}, {1, POLLOUT, 0}};
  CHECK(poll(waiting, 2, 10000) >= 1 && (waiting[1].revents & POLLOUT));
  waiting[0].revents = 0;
  CHECK(poll(waiting, 1, 10000) == 1 && (waiting[0].revents & POLLIN));
  int ready = 0;
  CHECK(ioctl(0, FIONREAD, &ready) == 0 && ready > 0);
}

static void test_memory(void) {
  size_t total = 0;
  for (char *volatile block; (block = malloc(65536));) total += 65536;
  CHECK(errno == ENOMEM);
  printf("%zu\n", total);
}

static int deeper(volatile int depth) {
  volatile char page[4096];
  page[depth % 4096] = 1;
  return depth < 0 ? 0 : deeper(depth + 1) + page[depth % 7];
}

int main(int argc, char **argv) {
  const char *name = argc > 1 ? argv[1] : "";
  if (!strcmp(name, "open-modes")) test_open_modes();
  else if (!strcmp(name, "buffered")) test_buffered();
  else if (!strcmp(name, "positions")) test_positions();
  else if (!strcmp(name, "metadata")) test_metadata();
  else if (!strcmp(name, "directories")) test_directories();
  else if (!strcmp(name, "links")) test_links();
  else if (!strcmp(name, "time")) test_time();
  else if (!strcmp(name, "environment")) test_environment(argc, argv);
  else if (!strcmp(name, "copy")) test_copy();
  else if (!strcmp(name, "terminals")) test_terminals();
  else if (!strcmp(name, "poll")) test_poll();
  else if (!strcmp(name, "memory")) test_memory();
  else if (!strcmp(name, "exit")) exit(atoi(argv[2]));
  else if (!strcmp(name, "abort")) abort();
  else if (!strcmp(name, "assert")) assert(!"this holds");
  else if (!strcmp(name, "recursion")) return deeper(0);
  else if (!strcmp(name, "null")) return *(volatile int *)(argc + 0xfffffff0u);
  else return 2;
  return 0;
}
