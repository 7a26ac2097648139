package import HTTP1

/// An IPv6 address, or an IPv4 address mapped into IPv6 (RFC 4291 §2.5.5.2), so that both are compared alike.
package struct IPAddress: Sendable, Equatable {
    /// The first 64 bits, in host order.
    package var high: UInt64
    /// The last 64 bits, in host order.
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package init(v4: UInt32) {
        self.init(high: 0, low: 0xffff_0000_0000 | UInt64(v4))
    }

    package var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }

    /// Reads the text form: four decimal numbers, or RFC 4291 §2.2; no zone.
    /// - Returns: nil when it is anything else.
    package init?(_ text: Span<UInt8>) {
        if let v4 = Self.readIPv4(text, 0..<text.count) {
            self.init(v4: v4)
        } else if let address = Self.readIPv6(text) {
            self = address
        } else {
            return nil
        }
    }

    private static func readIPv4(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt32? {
        var address: UInt32 = 0
        var at = range.lowerBound
        for part in 0..<4 {
            let start = at
            var number: UInt32 = 0
            while at < range.upperBound, at - start < 3, UInt8(ascii: "0")...UInt8(ascii: "9") ~= text[at] {
                number = number * 10 + UInt32(text[at] - UInt8(ascii: "0"))
                at += 1
            }
            // A leading zero means octal to some readers.
            guard at > start, number <= 255, at - start == 1 || text[start] != UInt8(ascii: "0") else { return nil }
            address = address << 8 | number
            guard part < 3 else { break }
            guard at < range.upperBound, text[at] == UInt8(ascii: ".") else { return nil }
            at += 1
        }
        return at == range.upperBound ? address : nil
    }

    private static func readIPv6(_ text: Span<UInt8>) -> IPAddress? {
        var groups = InlineArray<8, UInt64>(repeating: 0)
        var count = 0
        /// The number of groups before `::`.
        var gap: Int?
        var at = 0
        if text.count >= 2, text[0] == UInt8(ascii: ":") {
            guard text[1] == UInt8(ascii: ":") else { return nil }
            (gap, at) = (0, 2)
        }
        while at < text.count {
            guard count < 8 else { return nil }
            let start = at
            var group: UInt64 = 0
            while at < text.count, at - start < 4, let digit = hexadecimal(text[at]) {
                group = group << 4 | digit
                at += 1
            }
            guard at > start else { return nil }
            if at < text.count, text[at] == UInt8(ascii: ".") {
                guard count <= 6, let v4 = readIPv4(text, start..<text.count) else { return nil }
                groups[count] = UInt64(v4 >> 16)
                groups[count + 1] = UInt64(v4 & 0xffff)
                count += 2
                at = text.count
                break
            }
            groups[count] = group
            count += 1
            guard at < text.count else { break }
            guard text[at] == UInt8(ascii: ":"), at + 1 < text.count else { return nil }
            at += 1
            if text[at] == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = count
                at += 1
            }
        }
        guard gap == nil ? count == 8 : count < 8 else { return nil }
        var address = IPAddress(high: 0, low: 0)
        for index in 0..<8 {
            let group: UInt64
            if let gap, index >= gap {
                group = index < gap + 8 - count ? 0 : groups[index - (8 - count)]
            } else {
                group = groups[index]
            }
            if index < 4 { address.high = address.high << 16 | group } else { address.low = address.low << 16 | group }
        }
        return address
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    private func group(_ index: Int) -> UInt64 {
        (index < 4 ? high >> UInt64(48 - 16 * index) : low >> UInt64(48 - 16 * (index - 4))) & 0xffff
    }

    /// Writes the text form of RFC 5952 §4.
    package func write(into writer: inout HeadWriter) {
        guard !isIPv4 else {
            for part in 0..<4 {
                if part > 0 { writer.append(byte: UInt8(ascii: ".")) }
                writer.append(decimal: low >> UInt64(24 - 8 * part) & 0xff)
            }
            return
        }
        // The first of the longest runs of two or more zero groups becomes `::`.
        var run = 0..<0
        var start = 0
        for index in 0..<8 {
            if group(index) != 0 { start = index + 1 }
            if index + 1 - start > max(run.count, 1) { run = start..<index + 1 }
        }
        var index = 0
        while index < 8 {
            if index == run.lowerBound, !run.isEmpty {
                writer.append("::")
                index = run.upperBound
                continue
            }
            if index > 0, index != run.upperBound || run.isEmpty { writer.append(byte: UInt8(ascii: ":")) }
            writer.append(hexadecimal: group(index))
            index += 1
        }
    }
}

/// Where a client's connection comes from.
package struct ClientAddress: Sendable, Equatable {
    /// Nil: a Unix-domain socket.
    package var ip: IPAddress?
    /// Nil: nobody said it.
    package var port: UInt16?

    package init(ip: IPAddress? = nil, port: UInt16? = nil) {
        self.ip = ip
        self.port = port
    }

    /// Writes `192.0.2.1:5000`, `[2001:db8::1]:5000`, the address alone when the port is not known, or `unix`.
    package func write(into writer: inout HeadWriter) {
        guard let ip else {
            writer.append("unix")
            return
        }
        guard let port else {
            ip.write(into: &writer)
            return
        }
        if ip.isIPv4 {
            ip.write(into: &writer)
        } else {
            writer.append(byte: UInt8(ascii: "["))
            ip.write(into: &writer)
            writer.append(byte: UInt8(ascii: "]"))
        }
        writer.append(byte: UInt8(ascii: ":"))
        writer.append(decimal: UInt64(port))
    }

    /// Reads an element of `X-Forwarded-For`: an address, with or without a port.
    init?(forwarded text: Span<UInt8>) {
        if let ip = IPAddress(text) {
            self.init(ip: ip)
            return
        }
        var colon = text.count - 1
        while colon > 0, text[colon] != UInt8(ascii: ":") { colon -= 1 }
        if text.count > 2, text[0] == UInt8(ascii: "[") {
            let hasPort = colon > 0 && text[colon - 1] == UInt8(ascii: "]")
            let end = hasPort ? colon - 1 : text.count - 1
            guard text[end] == UInt8(ascii: "]"), end > 1, let ip = IPAddress(text.extracting(1..<end)), !ip.isIPv4
            else { return nil }
            guard hasPort else {
                self.init(ip: ip)
                return
            }
            guard let port = readPort(text.extracting(colon + 1..<text.count)) else { return nil }
            self.init(ip: ip, port: port)
            return
        }
        guard colon > 0, let ip = IPAddress(text.extracting(0..<colon)), ip.isIPv4,
            let port = readPort(text.extracting(colon + 1..<text.count))
        else { return nil }
        self.init(ip: ip, port: port)
    }
}

/// A port in decimal, without leading zeros.
func readPort(_ text: Span<UInt8>) -> UInt16? {
    guard 1...5 ~= text.count, text.count == 1 || text[0] != UInt8(ascii: "0") else { return nil }
    var number = 0
    for index in text.indices {
        guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= text[index] else { return nil }
        number = number * 10 + Int(text[index] - UInt8(ascii: "0"))
    }
    return UInt16(exactly: number)
}
