/* Through which connection each incarnation is reached. */
#include "coordinator/net/routes.h"

#include "common/map.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <string.h>

/* Never reached: the coordinator forgets incarnations that have not joined once it has answered them. */
#define MOST_ROUTES (2 * LIMIT_AGENTS)

struct route {
    uint64_t incarnation;
    size_t size;
    uint8_t bytes[SOCKET_MAX_ROUTE_BYTES];
    char key[KEY_TEXT_BYTES + 1]; /* empty without keys */
};

struct routes {
    struct map *by_incarnation;
    struct map *by_connection;
};

static struct bytes routes_id_of(const uint64_t *incarnation)
{
    return bytes_of(incarnation, sizeof *incarnation);
}

static struct bytes connection_of(const struct route *route)
{
    return bytes_of(route->bytes, route->size);
}

struct routes *routes_new(void)
{
    struct routes *routes = MEMORY_NEW(struct routes);
    routes->by_incarnation = map_new();
    routes->by_connection = map_new();
    return routes;
}

void routes_free(struct routes **at)
{
    struct routes *routes = *at;
    *at = NULL;
    if (routes == NULL) {
        return;
    }
    struct map_cursor cursor = {0};
    while (map_next(routes->by_incarnation, &cursor)) {
        memory_free(cursor.value);
    }
    map_free(&routes->by_incarnation);
    map_free(&routes->by_connection);
    memory_free(routes);
}

static void connect_to(struct routes *routes, struct route *route, struct bytes connection)
{
    assert(connection.size <= sizeof route->bytes);
    if (route->size > 0) {
        (void)map_remove(routes->by_connection, connection_of(route));
    }
    memcpy(route->bytes, connection.data, connection.size);
    route->size = connection.size;
    (void)map_put(routes->by_connection, connection, route);
}

static struct route *routes_add(struct routes *routes, uint64_t incarnation, const char *key)
{
    struct route *route = MEMORY_NEW(struct route);
    route->incarnation = incarnation;
    bytes_to_text(bytes_of_string(key), route->key, sizeof route->key);
    (void)map_put(routes->by_incarnation, routes_id_of(&incarnation), route);
    return route;
}

enum route_verdict routes_take(struct routes *routes, uint64_t incarnation, const struct socket_sender *from)
{
    struct route *route = map_get(routes->by_incarnation, routes_id_of(&incarnation));
    const char *key = from->key != NULL ? from->key : "";
    if (route != NULL && strcmp(route->key, key) != 0) {
        return ROUTE_OF_ANOTHER_KEY;
    }
    if (route != NULL && bytes_equal(connection_of(route), from->route)) {
        return ROUTE_TAKEN;
    }
    if (map_get(routes->by_connection, from->route) != NULL) {
        return ROUTE_IN_USE;
    }
    if (route == NULL && map_size(routes->by_incarnation) >= MOST_ROUTES) {
        return ROUTES_FULL;
    }
    route = route != NULL ? route : routes_add(routes, incarnation, key);
    connect_to(routes, route, from->route);
    return ROUTE_TAKEN;
}

struct bytes routes_find(const struct routes *routes, uint64_t incarnation)
{
    const struct route *route = map_get(routes->by_incarnation, routes_id_of(&incarnation));
    return route != NULL ? connection_of(route) : bytes_of(NULL, 0);
}

void routes_forget(struct routes *routes, uint64_t incarnation)
{
    struct route *route = map_remove(routes->by_incarnation, routes_id_of(&incarnation));
    if (route != NULL) {
        (void)map_remove(routes->by_connection, connection_of(route));
        memory_free(route);
    }
}

size_t routes_count(const struct routes *routes)
{
    return map_size(routes->by_incarnation);
}

const char *routes_next(const struct routes *routes, struct map_cursor *cursor, uint64_t *incarnation)
{
    while (map_next(routes->by_incarnation, cursor)) {
        const struct route *route = cursor->value;
        if (route->key[0] != '\0') {
            *incarnation = route->incarnation;
            return route->key;
        }
    }
    return NULL;
}
