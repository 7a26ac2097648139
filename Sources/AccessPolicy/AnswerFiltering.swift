internal import HTTP1

/// Takes out of a whole JSON answer what an alias may not see; strict: what is no JSON (RFC 8259) does not pass.
extension RightsInForce {
    /// Writes what stays of the answer.
    /// - Parameters:
    ///   - body: without any coding.
    ///   - alias: whom the answer is for.
    /// - Returns: false when the body is not what the filter is for: nothing of it may be sent.
    package func filter(
        _ body: Span<UInt8>, _ filter: AnswerFilter, alias: Int, into sink: inout some ByteSink
    ) -> Bool {
        switch filter {
        case .none:
            sink.append(body)
            return true
        case .securityToken: return blankSecurityToken(body, into: &sink)
        case .organizations, .projects:
            return cutList(body, filter, rights: Int(table.aliases[alias].rights), into: &sink)
        }
    }

    private func cutList(
        _ body: Span<UInt8>, _ filter: AnswerFilter, rights: Int, into sink: inout some ByteSink
    ) -> Bool {
        guard rights >= 0 else { return false }
        var reader = JSONReader()
        guard reader.take(body, ASCII.leftBracket) else { return false }
        sink.append(text: "[")
        var isFirst = true
        if !reader.take(body, ASCII.rightBracket) {
            repeat {
                let start = reader.startOfValue(body)
                var element = reader
                guard reader.skipValue(body) else { return false }
                guard isAllowed(&element, body, filter, rights) else { continue }
                if !isFirst { sink.append(text: ",") }
                isFirst = false
                sink.append(body.extracting(start..<reader.at))
            } while reader.take(body, ASCII.comma)
            guard reader.take(body, ASCII.rightBracket) else { return false }
        }
        guard reader.isAtEnd(body) else { return false }
        sink.append(text: "]")
        return true
    }

    /// Whether the element at hand, which is JSON, has a `slug` and each of them is of the rights. Names with an escape are
    /// a spelling that Sentry does not use.
    private func isAllowed(
        _ reader: inout JSONReader, _ body: Span<UInt8>, _ filter: AnswerFilter, _ rights: Int
    ) -> Bool {
        guard reader.take(body, UInt8(ascii: "{")) else { return false }
        var hasSlug = false
        if reader.take(body, UInt8(ascii: "}")) { return false }
        repeat {
            guard let name = reader.string(body), !reader.hadEscape, reader.take(body, ASCII.colon) else {
                return false
            }
            guard isText(body.extracting(name), "slug") else {
                guard reader.skipValue(body) else { return false }
                continue
            }
            guard let slug = reader.string(body), !reader.hadEscape else { return false }
            let isHeld =
                filter == .projects
                ? table.hasSlugOfProject(body.extracting(slug), rights)
                : table.hasSlugOfOrganization(body.extracting(slug), rights)
            guard isHeld else { return false }
            hasSlug = true
        } while reader.take(body, ASCII.comma)
        return hasSlug
    }

    private func blankSecurityToken(_ body: Span<UInt8>, into sink: inout some ByteSink) -> Bool {
        var reader = JSONReader()
        guard reader.take(body, UInt8(ascii: "{")) else {
            // A list or a scalar has no such member; it has to be JSON all the same.
            guard reader.skipValue(body), reader.isAtEnd(body) else { return false }
            sink.append(body)
            return true
        }
        var copied = 0
        if !reader.take(body, UInt8(ascii: "}")) {
            repeat {
                guard let name = reader.string(body) else { return false }
                // A name with an escape may be this one: Sentry's JSON has none in its names.
                let isToken = reader.hadEscape || isText(body.extracting(name), "securityToken")
                guard reader.take(body, ASCII.colon) else { return false }
                let start = reader.startOfValue(body)
                guard reader.skipValue(body) else { return false }
                guard isToken else { continue }
                sink.append(body.extracting(copied..<start))
                sink.append(text: "\"\"")
                copied = reader.at
            } while reader.take(body, ASCII.comma)
            guard reader.take(body, UInt8(ascii: "}")) else { return false }
        }
        guard reader.isAtEnd(body) else { return false }
        sink.append(body.extracting(copied..<body.count))
        return true
    }
}

extension RightsTable {
    func hasSlugOfOrganization(_ bytes: Span<UInt8>, _ rights: Int) -> Bool {
        for i in self.rights[rights].organizations.range {
            if isSlug(organizations[Int(organizationList[i])].slug, bytes) { return true }
        }
        return false
    }
}
