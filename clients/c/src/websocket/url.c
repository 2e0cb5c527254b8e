/* The URL of a gateway or of a place in it [PH-1.1]. */
#include <string.h>

#include "porthouse/websocket.h"

#define LOBBY "/v1/ws"

static bool begins(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

/* What needs no encoding in a request: so nothing of a URL can end its line. */
static bool is_plain(char c)
{
    return c > ' ' && c < 0x7f && c != '#' && c != '@' && c != '\\';
}

static bool is_host(char c)
{
    return is_plain(c) && c != '/' && c != '?';
}

static bool read_port(const char *text, const char *end, uint16_t *port)
{
    uint32_t number = 0;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9') return false;
        number = number * 10 + (uint32_t)(*text - '0');
        if (number > UINT16_MAX) return false;
    }
    *port = (uint16_t)number;
    return number > 0;
}

/* Reads a host; gives what follows it, or NULL. */
static const char *read_host(const char *at, porthouse_websocket_url_t *url)
{
    bool bracketed = *at == '[';
    if (bracketed) at++;
    url->host = at;
    while (is_host(*at) && *at != (bracketed ? ']' : ':')) at++;
    url->host_length = (size_t)(at - url->host);
    if (url->host_length == 0 || (bracketed && *at++ != ']')) return NULL;
    return at;
}

bool porthouse_websocket_split(const char *text, porthouse_websocket_url_t *url)
{
    memset(url, 0, sizeof *url);
    url->secure = begins(text, "wss://");
    if (!url->secure && !begins(text, "ws://")) return false;
    url->port = url->secure ? 443 : 80;
    url->authority = text + (url->secure ? 6 : 5);

    const char *at = read_host(url->authority, url);
    if (at == NULL) return false;
    const char *colon = at;
    while (is_host(*at)) at++;
    if (at > colon && (*colon != ':' || !read_port(colon + 1, at, &url->port))) return false;
    url->authority_length = (size_t)(at - url->authority);

    url->path = at;
    while (is_plain(*at)) at++;
    if (*at != '\0' || (at > url->path && *url->path != '/')) return false;
    url->path_length = (size_t)(at - url->path);
    if (url->path_length <= 1) {
        url->path = LOBBY;
        url->path_length = sizeof LOBBY - 1;
    }
    return true;
}
