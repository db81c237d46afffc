/* Counts by code as JSON and back. */
#include "coordinator/json/json_codes.h"

#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OTHER_CODES "other"

json_t *json_codes(const struct close_counts *codes)
{
    json_t *object = json_object();
    for (size_t i = 0; i < codes->size; i++) {
        char key[16] = OTHER_CODES;
        if (codes->items[i].code != 0) {
            snprintf(key, sizeof key, "%u", (unsigned)codes->items[i].code);
        }
        json_put_count(object, key, codes->items[i].count);
    }
    return object;
}

void json_read_codes(const json_t *object, struct close_counts *codes)
{
    const char *key = NULL;
    json_t *count = NULL;
    json_object_foreach((json_t *)(uintptr_t)object, key, count)
    {
        uint32_t code = strcmp(key, OTHER_CODES) == 0 ? 0 : (uint32_t)strtoul(key, NULL, 10);
        close_counts_add(codes, code, json_get_count(object, key));
    }
}
