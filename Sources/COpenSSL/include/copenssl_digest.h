#ifndef COPENSSL_DIGEST_H
#define COPENSSL_DIGEST_H

// SHA-256 on the stack. EVP allocates a context for every digest; the one-shot functions below do not, but
// OpenSSL 3.0 marks them deprecated, so the warning is silenced here and nowhere else. No logic.
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t word[4];
} copenssl_sha256_digest;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
/// SHA-256 that has read some bytes, with which many messages begin.
typedef struct {
    SHA256_CTX context;
} copenssl_sha256_prefix;

static inline copenssl_sha256_prefix copenssl_sha256_begun(const void *_Nullable bytes, size_t count) {
    copenssl_sha256_prefix prefix;
    SHA256_Init(&prefix.context);
    if (count > 0) SHA256_Update(&prefix.context, bytes, count);
    return prefix;
}

/// SHA-256 of the prefix followed by `bytes`.
static inline copenssl_sha256_digest copenssl_sha256_ended(const copenssl_sha256_prefix *_Nonnull prefix,
                                                           const void *_Nullable bytes, size_t count) {
    SHA256_CTX context = prefix->context;
    copenssl_sha256_digest digest;
    if (count > 0) SHA256_Update(&context, bytes, count);
    SHA256_Final((unsigned char *)digest.word, &context);
    OPENSSL_cleanse(&context, sizeof context);
    return digest;
}

static inline copenssl_sha256_digest copenssl_sha256(const void *_Nullable bytes, size_t count) {
    copenssl_sha256_prefix empty = copenssl_sha256_begun(NULL, 0);
    return copenssl_sha256_ended(&empty, bytes, count);
}
#pragma GCC diagnostic pop

/// 1 when both digests are equal; takes the same time whatever they hold.
static inline int copenssl_sha256_equal(copenssl_sha256_digest a, copenssl_sha256_digest b) {
    return CRYPTO_memcmp(a.word, b.word, sizeof a.word) == 0;
}

#endif
