internal import System

/// The times of the last minute and the rate of the last seconds, as far as somebody looked meanwhile.
struct LiveSamples {
    private struct Sample {
        let at: Instant
        let requests: UInt64
        let total: Histogram
        let connect: Histogram
        let firstByte: Histogram
    }

    private static let span: Duration = .seconds(60)
    private static let rate: Duration = .seconds(5)
    private static let most = 64

    private var samples: [Sample] = []

    /// Requests a second.
    private(set) var rate = 0.0
    private(set) var total = Histogram()
    private(set) var connect = Histogram()
    private(set) var firstByte = Histogram()
    /// Over what time these are, in words.
    private(set) var span = "since the start"

    /// Requests by status class, over all routes.
    static func classes(_ counters: Counters) -> [UInt64] {
        (0..<Counters.statusClasses).map { statusClass in
            Counters.RouteLabel.allCases.reduce(0) { $0 + counters.requests($1, statusClass: statusClass) }
        }
    }

    mutating func take(_ counters: Counters, now: Instant) {
        var all = Histogram()
        for route in Counters.RouteLabel.allCases { all.add(counters.totalTimes[route.rawValue]) }
        let sample = Sample(
            at: now, requests: Self.classes(counters).reduce(0, +), total: all, connect: counters.connectTimes,
            firstByte: counters.firstByteTimes)
        samples.removeAll { now - $0.at > Self.span }
        (total, connect, firstByte, span) = (sample.total, sample.connect, sample.firstByte, "since the start")
        if let first = samples.first, sample.total.count > first.total.count {
            total = sample.total.since(first.total)
            connect = sample.connect.since(first.connect)
            firstByte = sample.firstByte.since(first.firstByte)
            span = "over the last \((now - first.at).seconds) s"
        }
        if let lately = samples.first(where: { now - $0.at <= Self.rate }), now > lately.at {
            rate = Double(sample.requests - min(sample.requests, lately.requests)) / (now - lately.at).inSeconds
        } else {
            // Nobody looked lately: the last whole slot of the history.
            let slots = counters.history.slots(until: now - RequestHistory.slot)
            rate = Double(slots.last?.reduce(0, +) ?? 0) / RequestHistory.slot.inSeconds
        }
        if samples.count == Self.most { samples.removeFirst() }
        samples.append(sample)
    }
}
