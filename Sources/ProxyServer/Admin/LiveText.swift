internal import System

/// Figures as the live page shows them.
enum LiveText {
    /// `1.5 ms`, `3.2 s`, `4 min`, `5 h`, `6 d`; a dash for none.
    static func duration(_ length: Duration?) -> String {
        guard let nanoseconds = length?.nanoseconds else { return "–" }
        switch nanoseconds {
        case ..<1_000_000_000: return "\(tenths(nanoseconds, per: 1_000_000)) ms"
        case ..<60_000_000_000: return "\(tenths(nanoseconds, per: 1_000_000_000)) s"
        case ..<3_600_000_000_000: return "\(nanoseconds / 60_000_000_000) min"
        case ..<172_800_000_000_000: return "\(nanoseconds / 3_600_000_000_000) h"
        default: return "\(nanoseconds / 86_400_000_000_000) d"
        }
    }

    /// As `duration`, in whole seconds: an age that is looked at once a second.
    static func age(_ length: Duration) -> String {
        length < .seconds(1) ? "0 s" : duration(.seconds(length.seconds))
    }

    private static func tenths(_ value: UInt64, per unit: UInt64) -> String {
        let tenths = (value + unit / 20) / (unit / 10)
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    static func rate(_ perSecond: Double) -> String {
        let tenths = UInt64(max(0, perSecond) * 10 + 0.5)
        return tenths >= 1_000 || tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    static func quantiles(_ histogram: Histogram) -> String {
        guard histogram.count > 0 else { return "–" }
        return "half within \(duration(histogram.quantile(0.5))), 99 % within \(duration(histogram.quantile(0.99)))"
    }

    /// Sixteen digits, as in `X-Request-Id` and in the log.
    static func hexadecimal(_ id: UInt64) -> String {
        let digits = String(id, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// A line over 890 × 100 units of SVG, a slot each 10, with room for its width above and below.
    static func path(_ values: [UInt64], most: UInt64) -> String {
        values.enumerated().map { index, value in
            let y = 98 - (most == 0 ? 0 : UInt64(Double(value) / Double(most) * 96))
            return "\(index == 0 ? "M" : "L")\(index * 10) \(y)"
        }.joined()
    }
}
