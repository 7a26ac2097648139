internal import Glibc
internal import Synchronization
internal import System

/// The addresses of a host, asked on a thread of its own: getaddrinfo(3) knows no deadline.
final class HostLookUp: Sendable {
    enum Answer: Sendable {
        /// Numeric, in the order of RFC 6724.
        case addresses([String])
        /// The resolver's words.
        case failure(String)
    }

    private let answer = Mutex<Answer?>(nil)

    /// - Returns: nil when there is no answer in time; it may come later, to another who waits.
    func wait(until deadline: Instant) -> Answer? {
        pauseThread(until: deadline) { answer.withLock { $0 != nil } }
        return answer.withLock { $0 }
    }

    fileprivate func ask(_ name: String) {
        let found = Self.resolve(name)
        answer.withLock { $0 = found }
    }

    private static func resolve(_ name: String) -> Answer {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name, nil, &hints, &list)
        guard status == 0 else { return .failure(String(cString: gai_strerror(status))) }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var next = list
        while let entry = next {
            // Room for any numeric address with its zone (netdb.h, NI_MAXHOST).
            var text = [CChar](repeating: 0, count: 1025)
            let isNumeric =
                getnameinfo(
                    entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
                    NI_NUMERICHOST)
                == 0
            let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if isNumeric, !addresses.contains(address) { addresses.append(address) }
            next = entry.pointee.ai_next
        }
        return .addresses(addresses)
    }
}

/// The look-ups under way. One that hangs is joined by those who ask for the same name, so threads do not pile up.
final class HostLookUps: Sendable {
    private let underWay = Mutex<[String: HostLookUp]>([:])

    func addresses(of name: String, until deadline: Instant) -> HostLookUp.Answer? {
        let (lookUp, isNew) = underWay.withLock { underWay in
            if let found = underWay[name] { return (found, false) }
            let made = HostLookUp()
            underWay[name] = made
            return (made, true)
        }
        if isNew {
            let isRunning = startThread { [self] in
                lookUp.ask(name)
                underWay.withLock { $0[name] = nil }
            }
            if !isRunning {
                underWay.withLock { $0[name] = nil }
                return .failure("no thread for the look-up")
            }
        }
        return lookUp.wait(until: deadline)
    }
}
