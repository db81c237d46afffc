/* What cmake/embed_page.py writes. */
#pragma once
#include "coordinator/dashboard/dashboard.h"

extern const struct dashboard_file dashboard_files[];
extern const size_t dashboard_file_count;
