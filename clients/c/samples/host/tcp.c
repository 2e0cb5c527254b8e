#define _POSIX_C_SOURCE 200809L
#include "tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Tries addresses from `next` on, until one of them may succeed. */
static bool try_next(tcp_t *tcp)
{
    for (; tcp->next != NULL; tcp->next = tcp->next->ai_next) {
        const struct addrinfo *at = tcp->next;
        tcp->fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
        if (tcp->fd < 0) continue;
        int flags = fcntl(tcp->fd, F_GETFL), one = 1;
        /* A frame's head and body go in two writes, of which the second is not to wait. */
        setsockopt(tcp->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (fcntl(tcp->fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
            (connect(tcp->fd, at->ai_addr, at->ai_addrlen) == 0 || errno == EINPROGRESS)) {
            tcp->next = at->ai_next;
            return true;
        }
        close(tcp->fd);
        tcp->fd = -1;
    }
    return false;
}

bool tcp_open(tcp_t *tcp, const char *host, uint16_t port)
{
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char service[6];
    memset(tcp, 0, sizeof *tcp);
    tcp->fd = -1;
    snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(host, service, &wanted, &tcp->found) != 0) return false;
    tcp->next = tcp->found;
    if (try_next(tcp)) return true;
    tcp_close(tcp);
    return false;
}

bool tcp_connected(tcp_t *tcp)
{
    int error = 0;
    socklen_t length = sizeof error;
    if (tcp->connected) return true;
    tcp->connected = getsockopt(tcp->fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
    if (tcp->connected) return true;
    close(tcp->fd);
    tcp->fd = -1;
    if (!try_next(tcp)) tcp_close(tcp);
    return false;
}

ssize_t tcp_read(tcp_t *tcp, void *bytes, size_t size)
{
    return recv(tcp->fd, bytes, size, 0);
}

ssize_t tcp_write(tcp_t *tcp, const void *bytes, size_t length)
{
    return send(tcp->fd, bytes, length, MSG_NOSIGNAL);
}

void tcp_close(tcp_t *tcp)
{
    if (tcp->fd >= 0) close(tcp->fd);
    if (tcp->found != NULL) freeaddrinfo(tcp->found);
    memset(tcp, 0, sizeof *tcp);
    tcp->fd = -1;
}
