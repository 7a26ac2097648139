import Testing

@testable import TokenStore

@Suite struct FirstLoginSourceTests {
    let system = FakeSource(.failure(.database(.unreachable)))
    let login = FakeSource(.failure(.signedOut), kind: .login)

    var both: FirstLoginSource { FirstLoginSource(system: system, login: login) }

    func fetch(_ source: FirstLoginSource, _ cause: FetchCause) async -> Result<String?, TokenSourceError> {
        do throws(TokenSourceError) {
            return .success(text(try await source.fetch(FetchRequest(cause: cause, current: nil)).token))
        } catch {
            return .failure(error)
        }
    }

    @Test func aLoginIsTakenUpWhileThereIsNoSystemToken() async {
        let source = both
        #expect(await fetch(source, .start) == .failure(.database(.unreachable)))
        // Another upstream's login was stored: the failure stays the system token's.
        #expect(await fetch(source, .changed) == .failure(.database(.unreachable)))
        #expect(source.kind == .system)
        login.answer(fetched("login"))
        // Only a change of the store makes it look there.
        #expect(await fetch(source, .retry) == .failure(.database(.unreachable)))
        #expect(await fetch(source, .changed) == .success("login"))
        #expect(source.kind == .login)
    }

    @Test func aLoginThatWasTakenUpStays() async {
        let source = both
        login.answer(fetched("login"))
        #expect(await fetch(source, .changed) == .success("login"))
        system.answer(fetched("system"))
        #expect(await fetch(source, .refresh) == .success("login"))
        login.answer(.failure(.signedOut))
        #expect(await fetch(source, .renewal) == .failure(.signedOut))
        #expect(system.fetches == 0)
    }

    @Test func aSystemTokenThatWasFoundStays() async {
        let source = both
        system.answer(fetched("system"))
        login.answer(fetched("login"))
        #expect(await fetch(source, .start) == .success("system"))
        #expect(await fetch(source, .changed) == .success("system"))
        #expect(source.kind == .system && source.pollPeriod == nil)
        #expect(login.fetches == 0)
    }
}
