internal import AccessPolicy
internal import EventLoop
internal import HTTP1

/// The head that goes to the client: written from the upstream's into the staging buffer, the body's first bytes behind it.
extension Exchange {
    /// Writes the client's head, and the body's first bytes behind it, into the staging buffer.
    /// - Returns: false when the answer cannot be relayed; the cause is noted.
    func stageResponse(_ head: ResponseHead, _ bytes: UnsafeMutableRawBufferPointer, _ worker: Worker) -> Bool {
        if mustInflate(head, bytes.bytes(head.length).span) {
            response.inflater = worker.spares.takeInflater(&worker.pool.memory)
            if response.inflater != nil { response.framing = request.version == .http11 ? .chunked : .untilClose }
        }
        guard var staged = stageResponseHead(head, bytes, worker) else { return false }
        guard stageBody(bytes.part(head.length..<bytes.count), behind: &staged, worker.scratch, &worker.pool) else {
            return false
        }
        response.staged = consume staged
        note(response.inflater == nil ? ResponseInput.passes : .inflates, &worker.counters)
        return true
    }

    /// Answers without a body, parts of one and other codings are left alone.
    private func mustInflate(_ head: ResponseHead, _ bytes: Span<UInt8>) -> Bool {
        !request.acceptsGzip && !response.framing.isNone && response.framing != .length(0) && head.status != 206
            && ContentCoding(head, bytes) == .gzip
    }

    /// Writes the client's head into the staging buffer.
    /// - Returns: nil when it cannot be written; the cause is noted.
    func stageResponseHead(
        _ head: ResponseHead, _ bytes: UnsafeMutableRawBufferPointer, _ worker: Worker
    ) -> StagedBytes? {
        var writer = HeadWriter(worker.scratch.beginStaging().part(0..<Bounds.stagingBytes - Bounds.relayBytes))
        let form = responseForm(head, bytes.bytes(head.length).span)
        var editor = RelayedFieldEditor(
            rewriter: worker.configuration.rewriter, scheme: request.namedScheme ?? worker.clientScheme,
            host: request.facts.host,
            rewritesLinks: request.forward.route.isElevated, dropsCoding: form.dropsCoding,
            mustVary: form.varies)
        let id = request.facts.idText
        do throws(HeadRewriteError) {
            try writeResponseHead(
                head, bytes.bytes(head.length).span, route: request.forward.route, framing: response.framing,
                requestID: id.span,
                keepsContentLength: form.keepsLength,
                editor: &editor, into: &writer)
        } catch {
            record.cause = .unwritableResponse
            return nil
        }
        guard !writer.overflowed else {
            record.cause = .unwritableResponse
            return nil
        }
        return worker.scratch.stage(writer.count)
    }

    private func stageBody(
        _ bytes: UnsafeMutableRawBufferPointer, behind staged: inout StagedBytes, _ scratch: Scratch,
        _ pool: inout BufferPool
    ) -> Bool {
        let piece: BodyReader.Piece
        do throws(ParseError) {
            piece = try response.body.read(bytes)
        } catch {
            record.cause = .badResponse(error)
            return false
        }
        noteResponseBytes(piece.payload)
        if response.inflater != nil {
            response.compressed.store(UnsafeRawBufferPointer(bytes.part(0..<piece.payload)), from: &pool)
            return true
        }
        var header = HeadWriter(scratch.room(behind: staged))
        let payload = bytes.bytes(piece.payload)
        if response.framing.isChunked {
            if piece.payload > 0 {
                header.appendChunkHeader(piece.payload)
                header.append(payload.span)
                header.append(ChunkedCoding.chunkEnd)
            }
            if response.body.isWhole { header.append(ChunkedCoding.lastChunk) }
        } else {
            header.append(payload.span)
        }
        staged.extend(by: header.count)
        return !header.overflowed
    }
}
