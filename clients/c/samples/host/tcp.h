/* A TCP connection that never blocks. TLS would stand in its place: the same four calls. */
#ifndef TCP_H
#define TCP_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    int fd; /* -1: closed */
    bool connected;
    struct addrinfo *found, *next;
} tcp_t;

/* Begins to connect to the first address of the host that can be tried. */
bool tcp_open(tcp_t *tcp, const char *host, uint16_t port);

/*
 * After poll() said that it can be written: whether it is connected now. Else the next address is
 * tried, or `tcp->fd` is -1.
 */
bool tcp_connected(tcp_t *tcp);

/* Bytes read or written; -1 with errno EAGAIN: none now; 0 of a read, and other errors: the end. */
ssize_t tcp_read(tcp_t *tcp, void *bytes, size_t size);
ssize_t tcp_write(tcp_t *tcp, const void *bytes, size_t length);

void tcp_close(tcp_t *tcp);

#endif
