/// Draws plans. What is drawn is mostly ordinary; each deviation is rare, so that their combinations come up one by one.
struct Grammar {
    static let alias = "sentinel-alias-0123456789"
    static let tokenMark = "sentinel-token-"
    static let aliasMark = "sentinel-alias-"
    static let upstream = "sentry.internal:9000"

    let isCalm: Bool
    let hasDeviceFlow: Bool
    let replayBytes: Int
    let requests: [[UInt8]]
    let responses: [[UInt8]]

    func plan(_ number: Int, _ random: inout Random) -> Plan {
        let plan = Plan(number)
        plan.startsAt = microseconds(random.magnitude(3_000_000))
        plan.isElevated = random.chance(700)
        plan.target = target(&random)
        if plan.isElevated {
            plan.fields.append("Authorization: Bearer \(Self.alias)")
        } else if random.chance(500) {
            plan.fields.append("Authorization: Bearer somebody-elses-\(number)")
        }
        if random.chance(300) { plan.fields.append("Accept-Encoding: gzip") }
        if random.chance(300) { plan.fields.append("Connection: close") }
        if random.chance(100) { plan.fields.append("Connection: x-drop, authorization") }
        for index in 0..<random.magnitude(20) {
            plan.fields.append("X-Field-\(index): \(String(repeating: "v", count: random.magnitude(300)))")
        }
        method(plan, &random)
        if hasDeviceFlow { consultation(plan, &random) }
        plan.isHTTP10 = plan.framing != .chunked && random.chance(80)
        if plan.isHTTP10 { plan.expectsContinue = false }
        plan.pieceBytes = max(1, random.magnitude(65_536))
        plan.pause = microseconds(random.magnitude(2_000))
        plan.receiveCapacity = max(2_048, random.magnitude(300_000))
        plan.sendCapacity = max(2_048, random.magnitude(300_000))
        plan.readBytes = max(512, random.magnitude(300_000))
        plan.readPause = microseconds(random.magnitude(1_000))
        if random.chance(60) { plan.extra = Array("GET /second HTTP/1.1\r\nHost: proxy.example\r\n\r\n".utf8) }
        answer(plan, &random)
        if isCalm, random.chance(100) {
            plan.leaving = .halfClose
            plan.leavesAfter = 0
            if random.chance(300) {
                // Its answer takes long, and nobody has to ask whether it is still there.
                plan.answer.delay = milliseconds(random.within(60...900))
                plan.answer.pause = milliseconds(random.within(100...600))
                plan.answer.pieceBytes = (plan.answer.coded ?? plan.answer.body).count / 15 + 50
            }
        }
        // Thousands of tiny pieces would take long and show nothing that hundreds do not.
        let (all, _) = plan.bytes()
        plan.pieceBytes = max(plan.pieceBytes, all.count / 60)
        if !isCalm { misbehave(plan, &random) }
        return plan
    }

    private func target(_ random: inout Random) -> String {
        switch random.below(10) {
        case 0: "/api/0/organizations/acme/chunk-upload/"
        case 1: "/api/0/organizations/"
        case 2: "/api/0/organizations/acme/?a=b"
        case 3: "/oauth/token/"
        default: "/api/0/projects/acme/web/issues/?page=\(random.below(100))"
        }
    }

    private func method(_ plan: Plan, _ random: inout Random) {
        switch random.below(10) {
        case 0...3: break
        case 4: plan.method = "HEAD"
        case 5...7:
            plan.method = "POST"
            plan.framing = .length
        case 8:
            plan.method = "PUT"
            plan.framing = .chunked
            plan.chunkBytes = max(1, random.magnitude(5_000))
        default: plan.method = "DELETE"
        }
        guard plan.framing != .none else { return }
        plan.body = body(random.chance(100) ? random.magnitude(400_000) : random.magnitude(20_000), &random)
        plan.chunkBytes = max(plan.chunkBytes, plan.body.count / 200)
        plan.expectsContinue = random.chance(150)
    }

    /// Some of the requests are to the device flow, and most of these are what it takes.
    private func consultation(_ plan: Plan, _ random: inout Random) {
        plan.isRefusedByDeviceFlow = plan.target.hasPrefix("/oauth/")
        guard random.chance(200) else { return }
        plan.isRefusedByDeviceFlow = false
        let isRead = random.chance(300)
        (plan.method, plan.framing, plan.body) = (isRead ? random.pick(["GET", "HEAD"]) : "POST", .none, [])
        guard !isRead else {
            plan.expectsContinue = false
            plan.target = random.pick(["/oauth/device/?user_code=ABCD", "/.well-known/oauth-authorization-server"])
            return
        }
        plan.target = random.pick(["/oauth/device/code/", "/oauth/token/", "/oauth/revoke/", "/oauth/device/"])
        plan.fields.append("Content-Type: application/x-www-form-urlencoded")
        plan.framing = random.pick([.length, .chunked])
        plan.body = body(random.magnitude(8_192), &random)
        if random.chance(60) {
            plan.body = body(random.within(8_193...40_000), &random)
            plan.isRefusedByDeviceFlow = true
        }
        plan.chunkBytes = max(1, random.magnitude(3_000), plan.body.count / 200)
        plan.expectsContinue = random.chance(100)
    }

    /// Bytes that tell where they come from.
    private func body(_ count: Int, _ random: inout Random) -> [UInt8] {
        let word = random.next()
        return (0..<count).map { UInt8(truncatingIfNeeded: (word >> UInt64($0 & 7)) &+ UInt64($0)) }
    }

    private func answer(_ plan: Plan, _ random: inout Random) {
        var answer = Answer()
        answer.status = random.pick([200, 200, 200, 200, 201, 404, 500, 302, 204, 304])
        answer.framing = random.pick([.length, .length, .chunked, .untilClose])
        answer.body = body(random.chance(80) ? random.magnitude(600_000) : random.magnitude(20_000), &random)
        answer.chunkBytes = max(random.magnitude(20_000), answer.body.count / 200 + 1)
        if answer.status == 204 || answer.status == 304 {
            (answer.body, answer.framing) = ([], .none)
        }
        if answer.status == 302 { answer.fields.append("Location: http://\(Self.upstream)/elsewhere/") }
        if random.chance(200) {
            answer.fields.append(
                "Link: <http://\(Self.upstream)/api/0/x/?cursor=0:0:1>; rel=\"next\"; results=\"true\"")
        }
        if random.chance(150) { answer.fields.append("Set-Cookie: session=abc") }
        let path = plan.target.prefix { $0 != "?" }
        if answer.status == 200, answer.framing != .none, random.chance(800), path.hasPrefix("/api/0/organizations/") {
            json(plan, path, &answer, &random)
        }
        if plan.isGzip ? random.chance(300) : random.chance(150), answer.framing != .none, !answer.body.isEmpty {
            answer.coded = gzipped(answer.body)
            answer.fields.append("Content-Encoding: gzip")
        }
        answer.interims = random.chance(60) ? random.within(1...3) : 0
        answer.delay = microseconds(random.magnitude(100_000))
        answer.pause = microseconds(random.magnitude(2_000))
        answer.pieceBytes = max(1, random.magnitude(200_000))
        answer.closesFirst = random.chance(700)
        let count = (answer.coded ?? answer.body).count + 400
        answer.pieceBytes = max(answer.pieceBytes, count / 60)
        plan.answer = answer
    }

    private func json(_ plan: Plan, _ path: Substring, _ answer: inout Answer, _ random: inout Random) {
        let padding = String(repeating: "p", count: random.magnitude(3_000))
        func text(_ base: String) -> String {
            switch path {
            case "/api/0/organizations/":
                "[{\"id\":\"1\",\"pad\":\"\(padding)\",\"links\":{\"regionUrl\":\"\(base)\"}}]"
            case "/api/0/organizations/acme/": "{\"pad\":\"\(padding)\",\"links\":{\"organizationUrl\":\"\(base)\"}}"
            default: "{\"url\":\"\(base)/api/0/organizations/acme/chunk-upload/\",\"pad\":\"\(padding)\"}"
            }
        }
        answer.body = Array(text("http://\(Self.upstream)").utf8)
        answer.rewritten = Array(text("http://proxy.example").utf8)
        answer.fields.append("Content-Type: application/json")
    }

    // MARK: What goes wrong

    /// The answer begins early and both bodies take long, so that either may end first, or break off.
    private func bothWaysOpen(_ plan: Plan, _ random: inout Random) {
        plan.method = "POST"
        plan.framing = random.chance(600) ? .length : .chunked
        plan.body = body(random.within(500...60_000), &random)
        plan.chunkBytes = plan.body.count / 50 + 1
        plan.isHTTP10 = false
        plan.pause = milliseconds(random.magnitude(3_000))
        plan.pieceBytes = plan.body.count / 20 + 200
        plan.answer.isEarly = true
        plan.answer.pause = milliseconds(random.magnitude(40_000))
        plan.answer.pieceBytes = (plan.answer.coded ?? plan.answer.body).count / 10 + 50
        if random.chance(300) {
            plan.leavesAfter = milliseconds(random.magnitude(30_000))
            plan.leaving = random.pick([.close, .reset])
        }
        if plan.framing == .chunked, random.chance(300) { plan.isCorrupt = true }
        if random.chance(200) {
            plan.readPause = seconds(random.within(30...60))
            plan.receiveCapacity = random.within(1...500)
        }
    }

    /// An answer that ends with its connection is reset while the request is still on its way: who sends may be the one
    /// that hears of it.
    private func resetWhileSending(_ plan: Plan, _ random: inout Random) {
        guard plan.answer.framing != .none, plan.answer.coded == nil else { return }
        plan.method = "POST"
        plan.framing = .length
        plan.body = body(random.within(20_000...200_000), &random)
        plan.isHTTP10 = false
        plan.pause = microseconds(random.magnitude(1_000))
        plan.pieceBytes = plan.body.count / 200
        plan.answer.isEarly = true
        plan.answer.delay = microseconds(random.magnitude(5_000))
        plan.answer.pause = microseconds(random.magnitude(5_000))
        plan.answer.framing = .untilClose
        plan.answer.breaks = .reset
        plan.answer.breaksAt = random.within(500...999)
    }

    private func misbehave(_ plan: Plan, _ random: inout Random) {
        let count = plan.bytes().all.count
        if random.chance(60) { plan.stallsAt = random.below(count) }
        if random.chance(60) {
            plan.leavesAfter = microseconds(random.magnitude(5_000_000))
            plan.leaving = random.pick([.close, .reset, .reset, .halfClose])
        }
        if random.chance(40) { plan.pause = milliseconds(random.magnitude(12_000)) }
        if random.chance(40) { plan.readPause = milliseconds(random.magnitude(40_000)) }
        if random.chance(30), let fixture = requests.isEmpty ? nil : random.pick(requests) {
            plan.fixture = fixture
            plan.extra = []
            plan.expectsContinue = false
        }
        if random.chance(60) { plan.answer.isEarly = true }
        if random.chance(30) { bothWaysOpen(plan, &random) }
        if random.chance(15) { resetWhileSending(plan, &random) }
        if random.chance(10) {
            // It asks for what is refused, and takes nothing in.
            plan.fixture = Array("GET / HTTP/9.9\r\n\r\n".utf8)
            plan.extra = []
            plan.expectsContinue = false
            plan.receiveCapacity = random.within(1...60)
            plan.readPause = seconds(random.within(1...60))
        }
        if plan.framing == .chunked, random.chance(100) { plan.isCorrupt = true }
        if random.chance(30) { plan.answer.isDeaf = true }
        if random.chance(50) { plan.receiveCapacity = max(1, random.magnitude(1_000)) }
        if random.chance(30) { plan.answer.isSilent = true }
        if random.chance(80) {
            plan.answer.breaks = random.chance(500) ? .fin : .reset
            plan.answer.breaksAt = random.below(1_000)
        }
        if random.chance(30) { plan.answer.delay = milliseconds(random.magnitude(40_000)) }
        if random.chance(30) { plan.answer.pause = milliseconds(random.magnitude(40_000)) }
        if random.chance(20) { plan.answer.garbage = responses.isEmpty ? [0x20] : random.pick(responses) }
        if random.chance(20) { plan.answer.interims = random.within(10...20) }
        if random.chance(40) { plan.answer.status = 401 }
        if plan.answer.framing == .chunked, random.chance(60) {
            plan.answer.corruptChunk = random.pick([.first, .last])
        }
    }
}
