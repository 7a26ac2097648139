#ifndef COPENSSL_H
#define COPENSSL_H

// The part of OpenSSL 3 that Swift cannot import (macros, deprecated one-shot digests), by name. No logic.
#include <openssl/ssl.h>
#include <openssl/err.h>
#include "copenssl_digest.h"
#include "copenssl_tls.h"

#endif
