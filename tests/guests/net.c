// A guest with sockets. `net serve PORT` answers every HTTP request with its first line, and ends after one of /end.
// `net ask ADDRESS PORT` connects, and prints what it hears. What fails exits with the errno.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WASIX(name) __attribute__((import_module("wasix_32v1"), import_name(#name)))
WASIX(sock_open) int sock_open(int family, int kind, int protocol, int *socket);
WASIX(sock_set_opt_flag) int sock_set_opt_flag(int socket, int option, int on);
WASIX(sock_bind) int sock_bind(int socket, const void *address);
WASIX(sock_listen) int sock_listen(int socket, int waiting);
WASIX(sock_accept_v2) int sock_accept(int socket, int flags, int *connection, void *peer);
WASIX(sock_connect) int sock_connect(int socket, const void *address);

enum { INET4 = 1, STREAM = 1, TCP = 6, REUSE_ADDRESS = 2 };

struct address {
  uint8_t family, unused;
  uint16_t port;
  uint8_t ip[106];
};

static void check(int error, const char *what) {
  if (error) {
    fprintf(stderr, "%s: errno %d\n", what, error);
    exit(error);
  }
}

static struct address address_of(const char *ip, const char *port) {
  struct address address = {.family = INET4, .port = (uint16_t)atoi(port)};
  sscanf(ip, "%hhu.%hhu.%hhu.%hhu", &address.ip[0], &address.ip[1], &address.ip[2], &address.ip[3]);
  return address;
}

static int serve(int listener) {
  for (;;) {
    int connection;
    struct address peer;
    char request[4096] = {0};
    check(sock_accept(listener, 0, &connection, &peer), "accept");
    for (size_t length = 0; !strstr(request, "\r\n\r\n") && length < sizeof request - 1;) {
      ssize_t count = read(connection, request + length, sizeof request - 1 - length);
      if (count <= 0) break;
      length += (size_t)count;
    }
    request[strcspn(request, "\r\n")] = 0;
    dprintf(connection, "HTTP/1.0 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(request), request);
    close(connection);
    if (strstr(request, " /end ")) return 0;
  }
}

static int ask(int connection) {
  char bytes[4096];
  for (ssize_t count; (count = read(connection, bytes, sizeof bytes)) > 0;) write(STDOUT_FILENO, bytes, (size_t)count);
  return 0;
}

int main(int argc, char **argv) {
  int made;
  check(sock_open(INET4, STREAM, TCP, &made), "open");
  if (argc == 3 && !strcmp(argv[1], "serve")) {
    struct address here = address_of("0.0.0.0", argv[2]);
    check(sock_set_opt_flag(made, REUSE_ADDRESS, 1), "option");
    check(sock_bind(made, &here), "bind");
    check(sock_listen(made, 16), "listen");
    return serve(made);
  }
  if (argc == 4 && !strcmp(argv[1], "ask")) {
    struct address there = address_of(argv[2], argv[3]);
    check(sock_connect(made, &there), "connect");
    return ask(made);
  }
  return 2;
}
