/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_REPLY_H
#define ESF_REPLY_H

#include <jansson.h>
#include <stddef.h>

/*
 * What is answered to one request. The body is malloc'ed; who sends the reply frees it. Owner: the
 * thread that answers.
 */
struct esf_reply {
	unsigned int status; /* HTTP's; 0: nothing set yet */
	const char *type;    /* Content-Type */
	const char *allow;   /* with 405: the methods there are; else NULL */
	char *body;          /* NULL: out of memory */
	size_t size;
};

/* Answers with a document, whose reference it takes; NULL (out of memory) becomes a 500. */
void esf_reply_json(struct esf_reply *reply, unsigned int status, json_t *document);

/* Answers {"error": message}; format as printf's. */
void esf_reply_error(struct esf_reply *reply, unsigned int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Answers with a copy of text. */
void esf_reply_text(struct esf_reply *reply, const char *type, const char *text);

#endif
