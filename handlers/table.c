/* table.c - every handler, filed under its event kind. */
#include "handlers/table.h"

#define ROW(id, name, file, own) [id] = &rc_handler_##file,
const struct rc_handler *const rc_handlers[RC_EVENT__MAX] = {RC_EVENTS(ROW)};
#undef ROW
