/* Errors by name, for scenarios, files and ladders. */
#ifndef HALFOPEN_RUNTIME_ERRNO_NAME_H
#define HALFOPEN_RUNTIME_ERRNO_NAME_H

const char *errno_name(int positive_errno); /* "ECONNREFUSED"; "EUNKNOWN" */

#endif
