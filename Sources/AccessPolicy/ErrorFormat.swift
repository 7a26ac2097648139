package import HTTP1

/// The form of an answer's body.
package enum AnswerFormat: Sendable { case json, text }

/// The form that the client's `Accept` fields prefer (RFC 9110 §12.5.1): plain text when `text/plain` or `text/html` has a
/// higher quality than JSON, JSON otherwise, since clients of an API read nothing else. Several fields are one list; a
/// malformed part counts as absent.
package func preferredFormat(_ head: RequestHead, _ bytes: Span<UInt8>) -> AnswerFormat {
    var accepted = AcceptedQualities()
    for i in head.fields.indices(around: .accept) where head.fields[i].known == .accept {
        accepted.read(bytes.extracting(head.fields[i].value.range))
    }
    return accepted.text > accepted.json ? .text : .json
}

/// The same for a head that was refused before its `Accept` fields were reached: whatever looks like such a line counts.
/// For the form of an error answer, nothing else.
package func preferredFormat(ofRefused bytes: Span<UInt8>) -> AnswerFormat {
    var accepted = AcceptedQualities()
    var start = 0
    while start < bytes.count {
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
        let line = bytes.extracting(start..<end)
        let name: StaticString = "accept"
        let count = name.utf8CodeUnitCount
        if line.count > count, line[count] == UInt8(ascii: ":"), isFieldName(line.extracting(first: count), name) {
            accepted.read(line.extracting(trimmedOfLineEnd(count + 1..<line.count, line)))
        }
        start = end + 1
    }
    return accepted.text > accepted.json ? .text : .json
}

private func trimmedOfLineEnd(_ range: Range<Int>, _ line: Span<UInt8>) -> Range<Int> {
    var range = range
    while !range.isEmpty, line[range.upperBound - 1] <= UInt8(ascii: " ") {
        range = range.lowerBound..<range.upperBound - 1
    }
    return range
}

/// Qualities in thousandths, by the media ranges that bear on the two forms; nil was not named. The most specific
/// range that was named decides.
private struct AcceptedQualities {
    private var applicationJSON: Int?
    private var suffixJSON: Int?
    private var anyApplication: Int?
    private var textPlain: Int?
    /// Browsers name it; plain text will do.
    private var textHTML: Int?
    private var anyText: Int?
    private var any: Int?

    var json: Int { applicationJSON ?? suffixJSON ?? anyApplication ?? any ?? 0 }
    var text: Int { max(textPlain ?? anyText ?? any ?? 0, textHTML ?? 0) }

    mutating func read(_ list: Span<UInt8>) {
        // What sentry-cli sends needs no taking apart.
        if isMediaRange(list, "application/json") {
            applicationJSON = 1000
            return
        }
        var at = 0
        while at < list.count {
            // What follows a quotation mark without its second one has no certain end.
            guard let end = endOfPart(list, from: at, before: UInt8(ascii: ",")) else { return }
            readRange(list.extracting(at..<end))
            at = end + 1
        }
    }

    /// One media range with its parameters. Parameters other than `q` do not matter here: both forms have none.
    private mutating func readRange(_ part: Span<UInt8>) {
        guard var end = endOfPart(part, from: 0, before: UInt8(ascii: ";")) else { return }
        let type = trimmed(0..<end, part)
        var quality = 1000
        while end < part.count {
            let start = end + 1
            guard let next = endOfPart(part, from: start, before: UInt8(ascii: ";")) else { return }
            end = next
            let parameter = part.extracting(trimmed(start..<end, part))
            guard parameter.count >= 2, parameter[0] | 0x20 == UInt8(ascii: "q"), parameter[1] == UInt8(ascii: "=")
            else { continue }
            guard let value = qualityValue(parameter.extracting(2..<parameter.count)) else { return }
            quality = value
        }
        note(part.extracting(type), quality)
    }

    private mutating func note(_ type: Span<UInt8>, _ quality: Int) {
        if isMediaRange(type, "application/json") {
            applicationJSON = max(applicationJSON ?? 0, quality)
        } else if isMediaRange(type, "application/*") {
            anyApplication = max(anyApplication ?? 0, quality)
        } else if isMediaRange(type, "text/plain") {
            textPlain = max(textPlain ?? 0, quality)
        } else if isMediaRange(type, "text/html") {
            textHTML = max(textHTML ?? 0, quality)
        } else if isMediaRange(type, "text/*") {
            anyText = max(anyText ?? 0, quality)
        } else if isMediaRange(type, "*/*") {
            any = max(any ?? 0, quality)
        } else if isSuffixedJSON(type) {
            suffixJSON = max(suffixJSON ?? 0, quality)
        }
    }
}

/// The next `separator` that is not inside a quoted string (RFC 9110 §5.6.4), or the end; nil when a quoted string is
/// never closed.
private func endOfPart(_ bytes: Span<UInt8>, from start: Int, before separator: UInt8) -> Int? {
    var isQuoted = false
    var at = start
    while at < bytes.count {
        switch bytes[at] {
        case UInt8(ascii: "\""): isQuoted.toggle()
        case UInt8(ascii: "\\") where isQuoted: at += 1
        case separator where !isQuoted: return at
        default: break
        }
        at += 1
    }
    return isQuoted ? nil : bytes.count
}

/// A qvalue in thousandths (RFC 9110 §12.4.2); nil when malformed.
private func qualityValue(_ value: Span<UInt8>) -> Int? {
    guard 1...5 ~= value.count, value[0] == UInt8(ascii: "0") || value[0] == UInt8(ascii: "1") else { return nil }
    guard value.count == 1 || value[1] == UInt8(ascii: ".") else { return nil }
    var quality = Int(value[0] - UInt8(ascii: "0")) * 1000
    var weight = 100
    for i in 2..<max(value.count, 2) {
        guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= value[i] else { return nil }
        quality += Int(value[i] - UInt8(ascii: "0")) * weight
        weight /= 10
    }
    return quality <= 1000 ? quality : nil
}

/// Types are compared without regard to case (RFC 9110 §8.3.1), byte for byte otherwise.
private func isMediaRange(_ type: Span<UInt8>, _ lowercase: StaticString) -> Bool {
    fieldEquals(type, ByteSlice(start: 0, count: type.count), lowercase)
}

/// `application/*+json`: any type with that structured suffix (RFC 6839 §3.1), or the pattern itself.
private func isSuffixedJSON(_ type: Span<UInt8>) -> Bool {
    let before: StaticString = "application/"
    let after: StaticString = "+json"
    guard type.count > before.utf8CodeUnitCount + after.utf8CodeUnitCount else { return false }
    return isMediaRange(type.extracting(first: before.utf8CodeUnitCount), before)
        && isMediaRange(type.extracting(last: after.utf8CodeUnitCount), after)
}
