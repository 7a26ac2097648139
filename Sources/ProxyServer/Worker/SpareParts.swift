internal import EventLoop
internal import HTTP1

/// Parsers and inflaters that pass from exchange to exchange of one worker.
struct SpareParts: ~Copyable {
    private let requestLimits: HeadLimits
    private let responseLimits: HeadLimits
    private var requestParsers: [RequestHeadParser] = []
    private var responseParsers: [ResponseHeadParser] = []
    private var inflaters: [PooledInflater] = []

    init(requests requestLimits: HeadLimits, responses responseLimits: HeadLimits) {
        self.requestLimits = requestLimits
        self.responseLimits = responseLimits
    }

    mutating func takeRequestParser() -> RequestHeadParser {
        let parser = requestParsers.popLast() ?? RequestHeadParser(limits: requestLimits)
        parser.isSpare = false
        return parser
    }

    /// Whoever gives a parser back has let go of it: it is another exchange's soon, and two would read each other's heads.
    mutating func giveBack(_ parser: RequestHeadParser) {
        precondition(!parser.isSpare, "a parser was given back twice")
        parser.reset()
        parser.isSpare = true
        requestParsers.append(parser)
    }

    mutating func takeResponseParser() -> ResponseHeadParser {
        let parser = responseParsers.popLast() ?? ResponseHeadParser(limits: responseLimits)
        parser.isSpare = false
        return parser
    }

    /// See above.
    mutating func giveBack(_ parser: ResponseHeadParser) {
        precondition(!parser.isSpare, "a parser was given back twice")
        parser.reset()
        parser.isSpare = true
        responseParsers.append(parser)
    }

    /// - Returns: nil when there is no memory for another one.
    mutating func takeInflater(_ memory: inout MemoryShare) -> PooledInflater? {
        guard let inflater = inflaters.popLast() ?? PooledInflater() else { return nil }
        memory.hold(Bounds.inflaterBytes)
        return inflater
    }

    mutating func giveBack(_ inflater: PooledInflater, _ memory: inout MemoryShare) {
        memory.release(Bounds.inflaterBytes)
        guard inflaters.count < Bounds.keptInflaters else { return }
        inflater.inflater.reset()
        inflaters.append(inflater)
    }
}
