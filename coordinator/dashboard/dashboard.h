/* The files of the dashboard, which are part of the program. Pure. */
#pragma once
#include "common/bytes.h"

#include <stdbool.h>

/* Of "/". */
#define DASHBOARD_INDEX "index.html"

struct dashboard_form {
    const char *etag; /* with its quotes; another one for each form of each content */
    struct bytes bytes;
};

struct dashboard_file {
    const char *name;
    const char *content_type;
    struct dashboard_form plain;
    struct dashboard_form compressed; /* by gzip */
};

/* NULL if there is none of this name. */
const struct dashboard_file *dashboard_find(const char *name);
/* In any order. */
size_t dashboard_count(void);
const struct dashboard_file *dashboard_at(size_t index);
