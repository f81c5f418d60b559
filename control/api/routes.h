/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_ROUTES_H
#define ESF_ROUTES_H

#include "control/api/http.h"
#include "control/api/reply.h"
#include "control/api/request.h"

/*
 * What each path answers (CONTRACT 5). The caller is registered with RCU and offline; it is online
 * only while a document is built from a view.
 */
void esf_routes_answer(const struct esf_api_sources *sources, const struct esf_request *request,
    struct esf_reply *reply);

/* Answers what esf_request_add_path or _param refused with error. */
void esf_routes_refuse(const struct esf_request *request, int error, struct esf_reply *reply);

#endif
