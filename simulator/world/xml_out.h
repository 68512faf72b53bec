/* xml_out.h - writing XML as EC2 answers it, into an evbuffer. */
#ifndef RC_XML_OUT_H
#define RC_XML_OUT_H

#include <stdint.h>

struct evbuffer;

void rc_xml_open(struct evbuffer *out, const char *tag);
void rc_xml_close(struct evbuffer *out, const char *tag);
/* <tag>text</tag>, escaped; an empty text gives <tag/>. */
void rc_xml_text(struct evbuffer *out, const char *tag, const char *text);
void rc_xml_number(struct evbuffer *out, const char *tag, int64_t value);
void rc_xml_time(struct evbuffer *out, const char *tag, int64_t ms);

#endif
