/* What the parts of the API share. */
#include "coordinator/api/api_inside.h"

#include "common/memory.h"

uint16_t api_port(const struct api *api)
{
    return http_port(api->http);
}

void api_drain(struct api *api)
{
    api->is_draining = true;
}

void api_release(struct api *api)
{
    if (--api->open_parts == 0) {
        api_entry_close(&api->entry);
        api_log_close(api);
        memory_free(api);
    }
}
