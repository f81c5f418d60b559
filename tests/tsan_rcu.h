/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESF_TESTS_TSAN_RCU_H
#define ESF_TESTS_TSAN_RCU_H

/*
 * Tells ThreadSanitizer what liburcu, which it cannot look into, guarantees; nothing without it.
 * The functions stand before the library's and pass on to them.
 *
 *   rcu_set_pointer, rcu_xchg_pointer -> rcu_dereference of the same object
 *   every reader's quiescent state -> synchronize_rcu
 *   call_rcu, every reader's quiescent state -> the callback -> rcu_barrier
 */

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN_RCU
#endif
#elif defined(__SANITIZE_THREAD__)
#define TSAN_RCU
#endif

#ifdef TSAN_RCU
#include <dlfcn.h>
#include <stdlib.h>

#include <sanitizer/tsan_interface.h>
#include <urcu-qsbr.h>

/* The library's own mallocs and frees, which it orders by means that are not seen. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:liburcu-qsbr.so\n";
}

static char tsan_rcu_grace, tsan_rcu_done;

static inline void *tsan_rcu_next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

void *rcu_set_pointer_sym(void **pointer, void *value)
{
	void *(*next)(void **, void *) = tsan_rcu_next("rcu_set_pointer_sym");

	if (value != NULL)
		__tsan_release(value);
	return next(pointer, value);
}

/* The other half of what is exchanged is the writer's own. */
void *rcu_xchg_pointer_sym(void **pointer, void *value)
{
	void *(*next)(void **, void *) = tsan_rcu_next("rcu_xchg_pointer_sym");

	if (value != NULL)
		__tsan_release(value);
	return next(pointer, value);
}

void urcu_qsbr_synchronize_rcu(void)
{
	void (*next)(void) = tsan_rcu_next("urcu_qsbr_synchronize_rcu");

	next();
	__tsan_acquire(&tsan_rcu_grace);
}

void *rcu_dereference_sym(void *value)
{
	if (value != NULL)
		__tsan_acquire(value);
	return value;
}

#define TSAN_RCU_QUIESCENT(function)                           \
	void function(void)                                    \
	{                                                      \
		void (*next)(void) = tsan_rcu_next(#function); \
                                                               \
		__tsan_release(&tsan_rcu_grace);               \
		next();                                        \
	}
TSAN_RCU_QUIESCENT(urcu_qsbr_quiescent_state)
TSAN_RCU_QUIESCENT(urcu_qsbr_thread_offline)
TSAN_RCU_QUIESCENT(urcu_qsbr_unregister_thread)

struct tsan_rcu_call {
	struct rcu_head head;
	struct rcu_head *of;
	void (*callback)(struct rcu_head *);
};

static void tsan_rcu_called(struct rcu_head *head)
{
	struct tsan_rcu_call *call = caa_container_of(head, struct tsan_rcu_call, head);

	__tsan_acquire(&tsan_rcu_grace);
	call->callback(call->of);
	free(call);
	__tsan_release(&tsan_rcu_done);
}

void urcu_qsbr_call_rcu(struct rcu_head *head, void (*callback)(struct rcu_head *))
{
	void (*next)(struct rcu_head *, void (*)(struct rcu_head *)) =
	    tsan_rcu_next("urcu_qsbr_call_rcu");
	struct tsan_rcu_call *call = malloc(sizeof(*call));

	call->of = head;
	call->callback = callback;
	__tsan_release(&tsan_rcu_grace);
	next(&call->head, tsan_rcu_called);
}

void urcu_qsbr_barrier(void)
{
	void (*next)(void) = tsan_rcu_next("urcu_qsbr_barrier");

	next();
	__tsan_acquire(&tsan_rcu_done);
}
#endif

#endif
