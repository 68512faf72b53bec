/* xml_out.c - small XML writer. Failure of memory inside evbuffer shows as a
 * shorter answer, which the client's parser refuses. */
#include "simulator/world/xml_out.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <string.h>

#include "simulator/model/sim_time.h"

void
rc_xml_open(struct evbuffer *out, const char *tag)
{
    (void)evbuffer_add_printf(out, "<%s>", tag);
}

void
rc_xml_close(struct evbuffer *out, const char *tag)
{
    (void)evbuffer_add_printf(out, "</%s>", tag);
}

static void
xml_escape(struct evbuffer *out, const char *text)
{
    while (*text != '\0') {
        size_t plain = strcspn(text, "&<>");

        (void)evbuffer_add(out, text, plain);
        text += plain;
        if (*text == '\0')
            return;
        (void)evbuffer_add_printf(out, "%s",
                                  *text == '&' ? "&amp;" : (*text == '<' ? "&lt;" : "&gt;"));
        text++;
    }
}

void
rc_xml_text(struct evbuffer *out, const char *tag, const char *text)
{
    if (*text == '\0') {
        (void)evbuffer_add_printf(out, "<%s/>", tag);
        return;
    }
    rc_xml_open(out, tag);
    xml_escape(out, text);
    rc_xml_close(out, tag);
}

void
rc_xml_number(struct evbuffer *out, const char *tag, int64_t value)
{
    (void)evbuffer_add_printf(out, "<%s>%" PRId64 "</%s>", tag, value, tag);
}

void
rc_xml_time(struct evbuffer *out, const char *tag, int64_t ms)
{
    char text[RC_SIM_TIME_LEN];

    rc_sim_time_iso(text, ms - ms % 1000);
    rc_xml_text(out, tag, text);
}
