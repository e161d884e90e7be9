/* Lets User Mode Linux 6.1 run on processors with AMX.
 *
 * It saves its processes' registers in buffers of 2.7 kB, but PTRACE_SETREGSET takes nothing less than the whole state,
 * which AMX makes 11 kB (Linux: arch/x86/kernel/fpu/regset.c, xstateregs_set). Loaded with LD_PRELOAD, this puts the
 * part that the guest knows over the state that the process has.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/uio.h>

enum { GETREGSET = 0x4204, SETREGSET = 0x4205, XSTATE = 0x202 };

long ptrace(int request, ...)
{
	static long (*next)(int, ...);
	static char state[1 << 16];
	struct iovec whole = {state, sizeof state}, *part;
	va_list arguments;
	va_start(arguments, request);
	int process = va_arg(arguments, int);
	void *address = va_arg(arguments, void *);
	void *data = va_arg(arguments, void *);
	va_end(arguments);

	if (!next)
		next = (long (*)(int, ...))dlsym(RTLD_NEXT, "ptrace");
	part = data;
	if (request == SETREGSET && (long)address == XSTATE && next(GETREGSET, process, address, &whole) == 0 &&
	    part->iov_len < whole.iov_len) {
		memcpy(state, part->iov_base, part->iov_len);
		data = &whole;
	}
	return next(request, process, address, data);
}
