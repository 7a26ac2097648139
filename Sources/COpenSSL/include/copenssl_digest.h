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
/// SHA-256 of `first` followed by `second`.
static inline copenssl_sha256_digest copenssl_sha256(const void *_Nullable first, size_t first_count,
                                                     const void *_Nullable second, size_t second_count) {
    SHA256_CTX context;
    copenssl_sha256_digest digest;
    SHA256_Init(&context);
    if (first_count > 0) SHA256_Update(&context, first, first_count);
    if (second_count > 0) SHA256_Update(&context, second, second_count);
    SHA256_Final((unsigned char *)digest.word, &context);
    OPENSSL_cleanse(&context, sizeof context);
    return digest;
}
#pragma GCC diagnostic pop

/// 1 when both digests are equal; takes the same time whatever they hold.
static inline int copenssl_sha256_equal(copenssl_sha256_digest a, copenssl_sha256_digest b) {
    return CRYPTO_memcmp(a.word, b.word, sizeof a.word) == 0;
}

#endif
