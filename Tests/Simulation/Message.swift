internal import Glibc

/// Reads one HTTP/1.1 message as a plain peer would (RFC 9112), and shares no code with the proxy: it is what the proxy's
/// output is judged by.
struct MessageReader {
    enum State: Equatable { case head, body, complete, broken }
    enum Kind {
        case request
        case response(isHead: Bool)
    }
    private enum Framing {
        case none
        case length(Int)
        case chunked, untilClose
    }
    private enum Chunk {
        case size
        case data(Int)
        case end, trailer
    }

    private let kind: Kind
    private(set) var state = State.head
    private(set) var startLine = ""
    /// Names in lower case.
    private(set) var fields: [(name: String, value: String)] = []
    private(set) var body: [UInt8] = []
    /// Bytes behind the message.
    private(set) var extra = 0
    private(set) var interims = 0
    private(set) var headBytes: [UInt8] = []
    private var waiting: [UInt8] = []
    private var framing = Framing.none
    private var chunk = Chunk.size

    init(_ kind: Kind) {
        self.kind = kind
    }

    var status: Int { Int(startLine.split(separator: " ").dropFirst().first ?? "") ?? 0 }
    var hasHead: Bool { state != .head && state != .broken }
    var isUntilClose: Bool { if case .untilClose = framing { true } else { false } }

    func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }
    func count(_ name: String) -> Int { fields.count { $0.name == name } }

    mutating func feed(_ bytes: ArraySlice<UInt8>) {
        guard !bytes.isEmpty else { return }
        if state == .complete {
            extra += bytes.count
            return
        }
        if state == .body, waiting.isEmpty, case .length(let length) = framing {
            let taken = min(length - body.count, bytes.count)
            body += bytes.prefix(taken)
            extra += bytes.count - taken
            if body.count == length { state = .complete }
            return
        }
        if state == .body, case .untilClose = framing {
            body += bytes
            return
        }
        waiting += bytes
        while state == .head, takeHead() {}
        if state == .body { takeBody() }
    }

    /// The peer's FIN is in.
    mutating func end() {
        if state == .body, case .untilClose = framing {
            state = .complete
        } else if state != .complete {
            state = .broken
        }
    }

    private static func lineEnd(_ bytes: [UInt8], from start: Int) -> Int? {
        var at = start
        while at + 1 < bytes.count {
            if bytes[at] == 0x0d, bytes[at + 1] == 0x0a { return at }
            at += 1
        }
        return nil
    }

    /// - Returns: whether to look again: an interim response was passed over.
    private mutating func takeHead() -> Bool {
        var lines: [String] = []
        var at = 0
        while true {
            guard let end = Self.lineEnd(waiting, from: at) else { return false }
            let line = String(decoding: waiting[at..<end], as: UTF8.self)
            at = end + 2
            if line.isEmpty { break }
            lines.append(line)
        }
        guard let first = lines.first else {
            state = .broken
            return false
        }
        headBytes = Array(waiting[..<at])
        waiting.removeFirst(at)
        startLine = first
        fields = lines.dropFirst().map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            return (line[..<colon].lowercased(), String(line[colon...].dropFirst().drop { $0 == " " }))
        }
        if case .response = kind, 100..<200 ~= status {
            interims += 1
            return true
        }
        readFraming()
        state = .body
        return false
    }

    private mutating func readFraming() {
        if case .response(let isHead) = kind, isHead || status == 204 || status == 304 {
            framing = .none
        } else if let coding = value("transfer-encoding") {
            framing = coding.lowercased() == "chunked" ? .chunked : .untilClose
        } else if let length = value("content-length") {
            framing = Int(length).map { .length($0) } ?? .none
        } else if case .response = kind {
            framing = .untilClose
        } else {
            framing = .none
        }
    }

    private mutating func takeBody() {
        switch framing {
        case .none: complete()
        case .length(let length):
            let taken = min(length - body.count, waiting.count)
            body += waiting.prefix(taken)
            waiting.removeFirst(taken)
            if body.count == length { complete() }
        case .untilClose:
            body += waiting
            waiting = []
        case .chunked: takeChunks()
        }
    }

    private mutating func takeChunks() {
        var at = 0
        defer { waiting.removeFirst(at) }
        while true {
            switch chunk {
            case .size:
                guard let end = Self.lineEnd(waiting, from: at) else { return }
                let text = String(decoding: waiting[at..<end].prefix { $0 != 0x3b }, as: UTF8.self)
                guard let size = Int(text, radix: 16), size >= 0 else {
                    state = .broken
                    return
                }
                at = end + 2
                chunk = size == 0 ? .trailer : .data(size)
            case .data(let left):
                let taken = min(left, waiting.count - at)
                body += waiting[at..<at + taken]
                at += taken
                guard taken == left else {
                    chunk = .data(left - taken)
                    return
                }
                chunk = .end
            case .end:
                guard waiting.count - at >= 2 else { return }
                guard waiting[at] == 0x0d, waiting[at + 1] == 0x0a else {
                    state = .broken
                    return
                }
                at += 2
                chunk = .size
            case .trailer:
                guard let end = Self.lineEnd(waiting, from: at) else { return }
                let isLast = end == at
                at = end + 2
                guard isLast else { continue }
                state = .complete
                extra = waiting.count - at
                at = waiting.count
                return
            }
        }
    }

    private mutating func complete() {
        state = .complete
        extra += waiting.count
        waiting = []
    }
}

extension [UInt8] {
    init(_ text: String) {
        self = Array(text.utf8)
    }

    func holds(_ needle: String) -> Bool {
        withUnsafeBytes { $0.holds(needle) }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether `needle` lies anywhere in these bytes.
    func holds(_ needle: String) -> Bool {
        var needle = needle
        return needle.withUTF8 { needle in
            var rest = self
            while rest.count >= needle.count, let start = rest.baseAddress,
                let found = memchr(start, CInt(needle[0]), rest.count - needle.count + 1)
            {
                if memcmp(found, needle.baseAddress!, needle.count) == 0 { return true }
                rest = UnsafeRawBufferPointer(rebasing: rest[(UnsafeRawPointer(found) - start + 1)...])
            }
            return false
        }
    }
}
