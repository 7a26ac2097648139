internal import AccessPolicy
internal import FoundationEssentials
internal import System

/// The answers to operators: `device` and `alias list`, `alias revoke`.
extension DeviceAuthorizer {
    private struct Question: Decodable {
        var command: String
        var code: String?
        var name: String?
        var rights: String?
        var lifetime: Int64?
        var client: String?
    }

    func answer(operator question: [UInt8]) -> OperatorAnswer {
        guard let question = try? JSONDecoder().decode(Question.self, from: Data(question)) else {
            return OperatorAnswer(status: 400, text: "the question is malformed")
        }
        do throws(DeviceStoreFailure) {
            switch question.command {
            case "list": return OperatorAnswer(status: 200, text: try waitingList())
            case "approve": return try decideByOperator(question, isApproved: true)
            case "deny":
                if let client = question.client { return try deny(client: client) }
                return try decideByOperator(question, isApproved: false)
            case "passcode": return try passcode()
            case "grants": return OperatorAnswer(status: 200, text: try grantList())
            case "revoke": return try revoke(question)
            default: return OperatorAnswer(status: 400, text: "there is no such command")
            }
        } catch {
            failed(error)
            return OperatorAnswer(status: 503, text: error.message)
        }
    }

    // MARK: Codes

    private func waitingList() throws(DeviceStoreFailure) -> String {
        let now = doors.now()
        let ceiling = doors.ceiling()
        let waiting = try store.waiting(now: now).map { Proposal($0, try? ceiling.grant(asked: $0.asked), now) }
        guard !waiting.isEmpty else { return "nobody waits" }
        let lines = waiting.map { proposal in
            let state = proposal.isApproved ? " (approved, not taken yet)" : ""
            return """
                \(proposal.shown)-....  asked \(proposal.age) s ago by \(proposal.client) at \(proposal.address)\(state)
                  program:    \(proposal.program)
                  asks:       \(proposal.asks)
                  gets:       \(proposal.gets)
                  leaves out: \(proposal.leavesOut)
                """
        }
        let warning = ceiling.reach.isOrganizations ? [Proposal.organizationWarning] : []
        return (warning + lines).joined(separator: "\n")
            + "\napprove only what you started yourself: sentry-api-proxy device approve CODE"
    }

    private enum Decided {
        case done(WaitingCode, WaitingCode.Plan?)
        case late
        case problem(String)
    }

    private func decideByOperator(_ question: Question, isApproved: Bool) throws(DeviceStoreFailure) -> OperatorAnswer {
        guard let typed = question.code, let user = UserCode.read(Array(typed.utf8)) else {
            return OperatorAnswer(status: 400, text: "CODE: expected eight letters such as WDJB-MJHT")
        }
        if let name = question.name {
            guard 1...64 ~= name.utf8.count,
                name.utf8.allSatisfy({ 0x21...0x7e ~= $0 && ![0x22, 0x23, 0x5c, 0x7e].contains($0) })
            else {
                return OperatorAnswer(status: 400, text: "--name: expected visible ASCII without blanks and # \" \\ ~")
            }
            guard !isNameTaken(name) else {
                return OperatorAnswer(status: 400, text: "--name: there is an alias of this name")
            }
        }
        let decided = try decide(
            user, isApproved: isApproved, name: question.name,
            choice: (question.rights ?? "").split(separator: " ").map(String.init), lifetime: question.lifetime,
            approver: "operator")
        switch decided {
        case nil, .late?: return OperatorAnswer(status: 404, text: "CODE: there is no such code now")
        case .problem(let message)?: return OperatorAnswer(status: 400, text: "--rights: \(message)")
        case .done(_, nil)?: return OperatorAnswer(status: 200, text: "denied")
        case .done(_, let plan?)?:
            return OperatorAnswer(
                status: 200,
                text: "approved: alias \(plan.name), \(plan.words.joined(separator: " ")), for \(plan.lifetime) s")
        }
    }

    /// Denies whatever waits from an address, and what it asks for in the next hour.
    private func deny(client: String) throws(DeviceStoreFailure) -> OperatorAnswer {
        guard let customer = WaitingCode.customer(IPAddress(client.utf8.span)) else {
            return OperatorAnswer(status: 400, text: "--client: expected an address as device list shows it")
        }
        let now = doors.now()
        try store.deny(customer: customer, ends: now + DeviceFlowSettings.denialSeconds, now: now)
        var count = 0
        for code in try store.waiting(now: now) where code.customer == customer {
            guard let digest = TokenDigest(hexadecimal: code.deviceDigest) else { continue }
            let isDenied = try store.change(.device(digest), now: now) { code, _ -> (Bool, GrantEdit) in
                guard code.isWaiting(now) else { return (false, .none) }
                code.state = .denied
                return (true, .none)
            }
            if isDenied == true { count += 1 }
        }
        note(.denied, [("client_addr", customer), ("codes", "\(count)"), ("by", "operator")])
        return OperatorAnswer(
            status: 200,
            text:
                "denied: \(count) that waited, and what \(customer) asks for in the next \(DeviceFlowSettings.denialSeconds / 60) minutes"
        )
    }

    /// Approves or denies a code.
    /// - Returns: nil when there is none.
    private func decide(
        _ user: [UInt8], isApproved: Bool, name: String?, choice: [String], lifetime: Int64?, approver: String
    ) throws(DeviceStoreFailure) -> Decided? {
        let now = doors.now()
        let decided = try store.change(.user(UserCode.digest(user)), now: now) { code, _ -> (Decided, GrantEdit) in
            guard code.isWaiting(now) else { return (.late, .none) }
            guard isApproved else {
                code.state = .denied
                return (.done(code, nil), .none)
            }
            do throws(AliasWords.Problem) {
                let plan = try self.plan(for: code, name: name, choice: choice, lifetime: lifetime, approver: approver)
                code.state = .approved(plan)
                return (.done(code, plan), .none)
            } catch {
                return (.problem(error.message), .none)
            }
        }
        if case .done(let code, let plan) = decided {
            var fields = [
                ("code", code.shown), ("client", code.client), ("client_addr", code.address), ("by", approver),
            ]
            if let plan { fields += [("alias", plan.name), ("rights", plan.words.joined(separator: " "))] }
            note(plan == nil ? .denied : .approved, fields)
        }
        return decided
    }

    private func passcode() throws(DeviceStoreFailure) -> OperatorAnswer {
        guard settings.approval == .code else {
            return OperatorAnswer(status: 400, text: "approval codes are for --device-approval code")
        }
        var code: [UInt8]?
        while code == nil {
            do throws(SystemError) { code = UserCode.make(try Entropy.bytes(32)) } catch {
                throw DeviceStoreFailure("random bytes: \(error.summary)")
            }
        }
        let now = doors.now()
        try store.addPasscode(UserCode.digest(code!), ends: now + DeviceFlowSettings.passcodeSeconds, now: now)
        return OperatorAnswer(
            status: 200,
            text: "\(UserCode.shown(code!)) (good once, for \(DeviceFlowSettings.passcodeSeconds / 60) minutes)")
    }

    /// Somebody with an approval code decides on the page.
    func decideByPasscode(_ user: [UInt8], _ typed: [UInt8], isApproved: Bool) throws(DeviceStoreFailure)
        -> PageDecision
    {
        let now = doors.now()
        guard let approver = try approver(typed, now) else {
            let left = try store.change(.user(UserCode.digest(user)), now: now) { code, _ -> (Int, GrantEdit) in
                guard code.isWaiting(now) else { return (-1, .none) }
                code.wrong += 1
                if code.wrong >= WaitingCode.mostWrong { code.state = .denied }
                return (WaitingCode.mostWrong - code.wrong, .none)
            }
            guard let left, left >= 0 else { return .unknown }
            if left == 0 {
                note(.denied, [("code", String(decoding: user[..<4], as: UTF8.self)), ("by", "wrong approval codes")])
            }
            return .wrong(left: left)
        }
        switch try decide(user, isApproved: isApproved, name: nil, choice: [], lifetime: nil, approver: approver) {
        case .done(_, let plan)?: return plan.map { .approved($0) } ?? .denied
        case .problem(let message)?: return .problem(message)
        case .late?, nil: return .unknown
        }
    }

    private func approver(_ typed: [UInt8], _ now: Int64) throws(DeviceStoreFailure) -> String? {
        let digest = TokenDigest(of: typed.span)
        // All of them, whichever it is.
        var found: String?
        for approver in doors.approvers() where approver.digest == digest { found = approver.name }
        if let found { return found }
        guard let code = UserCode.read(typed) else { return nil }
        return try store.takePasscode(UserCode.digest(code), now: now) ? "approval code" : nil
    }

    // MARK: Grants

    private func grantList() throws(DeviceStoreFailure) -> String {
        let grants = try store.grants().filter { !$0.isOver(doors.now()) }
        guard !grants.isEmpty else { return "nothing is granted" }
        return grants.sorted { $0.made < $1.made }.map {
            "\($0.name)  \($0.words.joined(separator: " "))  until \(UTCTime.text($0.ends))  client \($0.client) at \($0.address), approved by \($0.approver)"
        }.joined(separator: "\n")
    }

    private func revoke(_ question: Question) throws(DeviceStoreFailure) -> OperatorAnswer {
        guard let name = question.name, try withdraw(.name(name)) != nil else {
            return OperatorAnswer(
                status: 404, text: "NAME: nothing is granted under this name; an alias file is edited by hand")
        }
        note(.revoked, [("alias", name), ("by", "operator")])
        return OperatorAnswer(status: 200, text: "withdrawn: \(name)")
    }
}

enum PageDecision {
    case approved(WaitingCode.Plan)
    case denied
    case unknown
    case wrong(left: Int)
    case problem(String)
}

/// What people are shown of a code before they approve it.
package struct Proposal: Sendable {
    static let organizationWarning = "Behind this proxy is an organization token: it can upload, and read little."

    /// The first four letters of the code.
    package let shown: String
    package let client: String
    package let program: String
    package let address: String
    /// Seconds since it was asked for.
    package let age: Int64
    package let isApproved: Bool
    package let asks: String
    package let gets: String
    package let leavesOut: String

    init(_ code: WaitingCode, _ grant: GrantCeiling.Grant?, _ now: Int64) {
        (shown, client, program, address) = (code.shown, code.client, code.userAgent, code.address)
        age = max(0, now - code.made)
        isApproved = if case .approved = code.state { true } else { false }
        asks = code.asked.joined(separator: " ")
        gets =
            grant.map {
                $0.words.filter { !$0.hasPrefix("scopes=") }.joined(separator: " ")
                    + " (\($0.scopes.joined(separator: " ")))"
            }
            ?? "nothing"
        let left = code.asked.compactMap { scope -> String? in
            guard let grant, grant.scopes.contains(scope) else { return scope }
            return grant.partialScopes.contains(scope) ? "part of \(scope)" : nil
        }
        leavesOut = left.isEmpty ? "nothing" : left.joined(separator: ", ")
    }
}
