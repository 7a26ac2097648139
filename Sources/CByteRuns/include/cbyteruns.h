#ifndef CBYTERUNS_H
#define CBYTERUNS_H

// Where a run of bytes of one kind ends, sixteen bytes at a time. Swift has no way to ask a vector which of its lanes are set,
// which is all that is done here.
//
// Every function looks at base[from] to base[to - 1] and may read any byte of base[0] to base[to - 1], none beyond; the caller
// has checked 0 <= from <= to. It returns the place of the first byte that ends the run, or `to`.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t cbyteruns_block __attribute__((ext_vector_type(16)));
typedef char cbyteruns_mask __attribute__((ext_vector_type(16)));
typedef _Bool cbyteruns_bits __attribute__((ext_vector_type(16)));

// A bit for each lane that is set, the first byte's in the lowest place.
static inline __attribute__((always_inline)) uint32_t cbyteruns_marks(cbyteruns_mask mask) {
    cbyteruns_bits bits = __builtin_convertvector(mask, cbyteruns_bits);
    uint16_t marks;
    memcpy(&marks, &bits, sizeof marks);
    return marks;
}

static inline __attribute__((always_inline)) cbyteruns_block cbyteruns_load(const uint8_t *bytes) {
    cbyteruns_block block;
    memcpy(&block, bytes, sizeof block);
    return block;
}

// The last bytes are looked at in a block that ends with them and begins before them, or one by one when there is no room
// for that.
#define CBYTERUNS_RUN(name, beyond)                                                                                    \
    static inline size_t name(const uint8_t *base, size_t from, size_t to) {                                           \
        while (to - from >= 16) {                                                                                      \
            uint32_t marks = cbyteruns_marks(beyond(cbyteruns_load(base + from)));                                     \
            if (marks) return from + (size_t)__builtin_ctz(marks);                                                     \
            from += 16;                                                                                                \
        }                                                                                                              \
        if (from < to && to >= 16) {                                                                                   \
            uint32_t marks = cbyteruns_marks(beyond(cbyteruns_load(base + to - 16))) >> (16 - (to - from));            \
            return marks ? from + (size_t)__builtin_ctz(marks) : to;                                                   \
        }                                                                                                              \
        while (from < to && !cbyteruns_marks(beyond((cbyteruns_block)base[from]))) from++;                             \
        return from;                                                                                                   \
    }

#define CBYTERUNS_LETTER(b) (((b) | 0x20) - 'a' < 26)
#define CBYTERUNS_DIGIT(b) ((b) - '0' < 10)

// Letters, digits and hyphens: of what nearly all field names are made.
#define CBYTERUNS_BEYOND_NAME(b) (~(CBYTERUNS_LETTER(b) | CBYTERUNS_DIGIT(b) | ((b) == '-')))
CBYTERUNS_RUN(cbyteruns_end_of_name, CBYTERUNS_BEYOND_NAME)

// The same with dots: host names and addresses.
#define CBYTERUNS_BEYOND_HOST(b) (~(CBYTERUNS_LETTER(b) | CBYTERUNS_DIGIT(b) | ((b) == '-') | ((b) == '.')))
CBYTERUNS_RUN(cbyteruns_end_of_host, CBYTERUNS_BEYOND_HOST)

// The same with underscores and without dots: base64url (RFC 4648 §5).
#define CBYTERUNS_BEYOND_BASE64URL(b) (~(CBYTERUNS_LETTER(b) | CBYTERUNS_DIGIT(b) | ((b) == '-') | ((b) == '_')))
CBYTERUNS_RUN(cbyteruns_end_of_base64url, CBYTERUNS_BEYOND_BASE64URL)

// Where bytes are that are none of base64url: a bit for each of at most 64 from base[from] on, the first in the lowest place.
static inline uint64_t cbyteruns_beyond_base64url(const uint8_t *base, size_t from, size_t to) {
    uint64_t marks = 0;
    size_t at = from, end = to - from > 64 ? from + 64 : to;
    for (; end - at >= 16; at += 16)
        marks |= (uint64_t)cbyteruns_marks(CBYTERUNS_BEYOND_BASE64URL(cbyteruns_load(base + at))) << (at - from);
    if (at < end && end >= 16) // in a block that ends with them
        marks |= (uint64_t)(cbyteruns_marks(CBYTERUNS_BEYOND_BASE64URL(cbyteruns_load(base + end - 16))) >> (16 - (end - at))) << (at - from);
    else
        for (; at < end; at++) marks |= (uint64_t)(cbyteruns_marks(CBYTERUNS_BEYOND_BASE64URL((cbyteruns_block)base[at])) & 1) << (at - from);
    return marks;
}

// Hexadecimal digits and hyphens: of what UUIDs are made.
#define CBYTERUNS_BEYOND_UUID(b) (~((((b) | 0x20) - 'a' < 6) | CBYTERUNS_DIGIT(b) | ((b) == '-')))
CBYTERUNS_RUN(cbyteruns_end_of_uuid, CBYTERUNS_BEYOND_UUID)

// Everything but controls (a tab is one) and DEL.
#define CBYTERUNS_BEYOND_TEXT(b) (((b) < 0x20) | ((b) == 0x7f))
CBYTERUNS_RUN(cbyteruns_end_of_text, CBYTERUNS_BEYOND_TEXT)

static inline int cbyteruns_is_blank(uint8_t byte) { return byte == ' ' || byte == '\t'; }

// A whole field line (RFC 9112 §5) of the usual form at base[from]: letters, digits and hyphens, a colon, one blank, a value
// without blanks around it, CRLF. Returns where its name ends, and in *end where its value does; 0 for any other line.
static inline size_t cbyteruns_usual_line(const uint8_t *base, size_t from, size_t to, size_t *end) {
    size_t name_end = cbyteruns_end_of_name(base, from, to);
    if (name_end == from || to - name_end < 4 || base[name_end] != ':' || base[name_end + 1] != ' ') return 0;
    size_t start = name_end + 2, at = start;
    while ((at = cbyteruns_end_of_text(base, at, to)) < to && base[at] == '\t') at++;
    if (to - at < 2 || base[at] != '\r' || base[at + 1] != '\n') return 0;
    if (at > start && (cbyteruns_is_blank(base[start]) || cbyteruns_is_blank(base[at - 1]))) return 0;
    *end = at;
    return name_end;
}

// What logfmt needs no quotation marks for: visible ASCII without `"`, `=` and `\`.
#define CBYTERUNS_BEYOND_WORD(b) (((b) - 0x21 >= 0x5e) | ((b) == '"') | ((b) == '=') | ((b) == '\\'))
CBYTERUNS_RUN(cbyteruns_end_of_word, CBYTERUNS_BEYOND_WORD)

// What a request target may hold: visible ASCII without `#`.
#define CBYTERUNS_BEYOND_TARGET(b) (((b) - 0x21 >= 0x5e) | ((b) == '#'))
CBYTERUNS_RUN(cbyteruns_end_of_target, CBYTERUNS_BEYOND_TARGET)

#endif
