internal import AccessPolicy
internal import Synchronization
internal import System

/// `/` and `/live`: the page for people, and what its script asks for once a second.
///
/// The workers are asked at most once a second however many look, and never when nobody does.
final class LivePage: Sendable {
    private static let fresh: Duration = .milliseconds(900)

    private struct State {
        var samples = LiveSamples()
        var madeAt = Instant.distantPast
        var document: LiveDocument?
        var json: [UInt8] = []
    }

    private let facts: AdminFacts
    private let state = Mutex(State())

    init(_ facts: AdminFacts) {
        self.facts = facts
    }

    /// Only what the page itself holds may run or style it, nothing is loaded but its own document, nobody may frame it.
    static let fields =
        "Content-Security-Policy: default-src 'none'; script-src '\(LivePageText.scriptHash)'; style-src '\(LivePageText.styleHash)'; "
        + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
        + "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCross-Origin-Opener-Policy: same-origin\r\n"
        + "Cross-Origin-Resource-Policy: same-origin\r\n"

    var json: [UInt8] {
        state.withLock { state in
            refresh(&state)
            return state.json
        }
    }

    var html: [UInt8] {
        state.withLock { state in
            refresh(&state)
            return state.document.map { Array(Self.filled($0).utf8) } ?? []
        }
    }

    private func refresh(_ state: inout State) {
        guard state.document == nil || Clock.now - state.madeAt >= Self.fresh else { return }
        let reports = facts.server.collect(within: AdminFacts.collect)
        let now = Clock.now
        var total = Counters()
        for report in reports { total.add(report.counters) }
        state.samples.take(total, now: now)
        let document = LiveDocument(
            facts, reports, recent: state.samples, now: now, wall: Clock.wall.seconds)
        state.madeAt = now
        state.json = Array("\(document.json.text)\n".utf8)
        state.document = document
    }

    // MARK: Filling in

    /// The template with every text in its place.
    static func filled(_ document: LiveDocument) -> String {
        let texts = Dictionary(uniqueKeysWithValues: document.texts)
        let states = Dictionary(uniqueKeysWithValues: document.states)
        let paths = Dictionary(uniqueKeysWithValues: document.paths)
        let rows = Dictionary(uniqueKeysWithValues: document.rows)
        var page = ""
        page.reserveCapacity(LivePageText.template.utf8.count * 2)
        var labels: [String] = []
        for line in LivePageText.template.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("<thead>") { labels = Self.labels(line) }
            // Outside of the script, which holds no such attribute.
            var rest = line
            while let tag = Tag(first: rest) {
                page += rest[..<tag.end]
                if let name = tag.value("data-s"), let state = states[name] {
                    page.removeLast()
                    page += " data-state=\"\(state.rawValue)\">"
                }
                if let name = tag.value("data-d"), let path = paths[name] {
                    page.removeLast(2)
                    page += " d=\"\(path)\"/>"
                }
                if let name = tag.value("data-t"), let text = texts[name] { page += escapedForHTML(text) }
                if let name = tag.value("data-rows"), let rows = rows[name] { page += table(rows, labels) }
                rest = rest[tag.end...]
            }
            page += rest
            page += "\n"
        }
        return page
    }

    /// The names of a table's columns.
    private static func labels(_ head: Substring) -> [String] {
        head.split(separator: "<").compactMap { cell in
            cell.hasPrefix("th ") ? cell.firstIndex(of: ">").map { String(cell[cell.index(after: $0)...]) } : nil
        }
    }

    /// As the script makes them.
    private static func table(_ rows: [[String]], _ labels: [String]) -> String {
        rows.map { row in
            let cells = row.enumerated().map { column, text in
                column == 0
                    ? "<th scope=\"row\">\(escapedForHTML(text))</th>"
                    : "<td data-label=\"\(labels[column])\"\(column == 1 ? " class=\"words\"" : "")>\(escapedForHTML(text))</td>"
            }
            return "<tr>\(cells.joined())</tr>"
        }.joined()
    }

    /// A tag of the template with one of the attributes that are filled in.
    private struct Tag {
        private let text: Substring
        var end: Substring.Index { text.endIndex }

        init?(first line: Substring) {
            var rest = line
            while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
                let tag = rest[open...close]
                if ["data-t", "data-s", "data-d", "data-rows"].contains(where: { tag.contains(" \($0)=\"") }) {
                    text = tag
                    return
                }
                rest = rest[rest.index(after: close)...]
            }
            return nil
        }

        func value(_ attribute: String) -> String? {
            text.split(separator: " ").first { $0.hasPrefix("\(attribute)=\"") }
                .map { String($0.dropFirst(attribute.count + 2).prefix { $0 != "\"" }) }
        }
    }
}
