#define _GNU_SOURCE
#include "cepoll.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// What execve(2) put on the stack. glibc hands it to every function of .init_array; neither /proc nor a library that
// moves `environ` in a constructor of its own can take it away.
static int argument_count = -1;
static char **argument_vector;
static char **initial_environment;

__attribute__((constructor)) static void keep_arguments(int count, char **arguments, char **environment) {
    argument_count = count;
    argument_vector = arguments;
    initial_environment = environment;
}

int cepoll_argument_count(void) { return argument_vector && argument_count > 0 ? argument_count : -ENODATA; }

const char *cepoll_argument(int index) { return argument_vector[index]; }

// A few asterisks for people to see; how long the secret was is nobody's affair.
static void conceal(char *text) {
    size_t length = strlen(text);
    explicit_bzero(text, length);
    memset(text, '*', length < 3 ? length : 3);
}

void cepoll_conceal_argument(int index, size_t offset) {
    char *text = argument_vector[index];
    if (offset < strlen(text)) conceal(text + offset);
}

int cepoll_conceal_variable(const char *name) {
    const char *value = getenv(name);
    if (!value || !initial_environment) return 0;
    char *copy = strdup(value);
    if (!copy) return -ENOMEM;
    size_t length = strlen(name);
    // /proc/PID/environ shows the strings that the process was started with, whatever `environ` points to.
    for (char **entry = initial_environment; *entry; entry++) {
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') conceal(*entry + length + 1);
    }
    // setenv(3) keeps a copy of its own, so that libpq and others still find the value.
    int result = setenv(name, copy, 1) < 0 ? -errno : 0;
    explicit_bzero(copy, strlen(copy));
    free(copy);
    return result;
}
