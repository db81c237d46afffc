/* The files of the dashboard. */
#include "coordinator/dashboard/dashboard.h"
#include "coordinator/dashboard/dashboard_inside.h"

#include <assert.h>
#include <string.h>

size_t dashboard_count(void)
{
    return dashboard_file_count;
}

const struct dashboard_file *dashboard_at(size_t index)
{
    assert(index < dashboard_file_count);
    return &dashboard_files[index];
}

const struct dashboard_file *dashboard_find(const char *name)
{
    for (size_t i = 0; i < dashboard_file_count; i++) {
        if (strcmp(dashboard_files[i].name, name) == 0) {
            return &dashboard_files[i];
        }
    }
    return NULL;
}
