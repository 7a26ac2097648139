internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import TokenStore

/// The head that goes upstream: written from the client's into the staging buffer, and kept when it may go out twice.
extension Exchange {
    /// Stands for one that there is not.
    private static let noSecret = Secret([])

    /// Writes the upstream's head into the staging buffer.
    /// - Returns: nil when it does not fit, or names too many connection options.
    func stageHead(_ head: RequestHead, _ bytes: UnsafeBufferPointer<UInt8>, _ worker: Worker) -> StagedBytes? {
        let staging = worker.scratch.beginStaging()
        var writer = HeadWriter(staging.part(0..<Bounds.stagingBytes - Bounds.relayBytes))
        let place: ByteSlice?
        let edited = editedTarget(
            head, bytes, into: staging.part(Bounds.stagingBytes - Bounds.relayBytes..<Bounds.stagingBytes))
        guard edited.fits else { return nil }
        let target = request.endpoint == nil && request.verdict.filter.isNone ? worker.target : worker.identityTarget
        let token = request.forward.route.isElevated ? worker.token.token : nil
        do {
            place = try (token ?? Self.noSecret).withBytes { token throws(HeadRewriteError) in
                guard let authorization = worker.configuration.upstreamProxy?.authorization else {
                    return try write(
                        head, bytes, target, edited.target, token, nil, worker.configuration, into: &writer)
                }
                return try authorization.withBytes { authorization throws(HeadRewriteError) in
                    try write(
                        head, bytes, target, edited.target, token, authorization, worker.configuration, into: &writer)
                }
            }
        } catch {
            return nil
        }
        guard !writer.overflowed else { return nil }
        replay.tokenVersion = worker.token.version
        if request.forward.route.isElevated, worker.token.isRenewable,
            worker.pool.mayTake(atLeast: writer.count, for: .body)
        {
            let buffer = worker.pool.take(atLeast: writer.count)
            buffer.bytes.copyMemory(from: UnsafeRawBufferPointer(staging.part(0..<writer.count)))
            (replay.head.buffer, replay.head.count, replay.tokenPlace) = (buffer, writer.count, place)
        }
        return worker.scratch.stage(writer.count)
    }

    @inline(__always)
    private func write(
        _ head: RequestHead, _ bytes: UnsafeBufferPointer<UInt8>, _ target: UpstreamTarget,
        _ editedTarget: UnsafeBufferPointer<UInt8>?, _ token: Span<UInt8>, _ proxyAuthorization: Span<UInt8>?,
        _ configuration: ServerConfiguration, into writer: inout HeadWriter
    ) throws(HeadRewriteError) -> ByteSlice? {
        try writeRequestHead(
            head, bytes.span, decision: request.forward, target: target, editedTarget: editedTarget?.span,
            framing: request.framing, token: token, proxyAuthorization: proxyAuthorization,
            forwardedFor: configuration.tellsClientOnBypass ? request.facts.client.ip : nil, into: &writer)
    }
}
