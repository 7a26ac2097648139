import Glibc
import Synchronization
import System
import Testing

/// Whether the calling thread has this signal blocked.
private func isBlocked(_ signal: CInt) -> Bool {
    var blocked = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &blocked)
    return sigismember(&blocked, signal) == 1
}

@Suite struct ThreadTests {
    @Test func aThreadThatTakesNoSignalsHasThemBlocked() throws {
        let blocked = Mutex<[Bool]>([])
        for takesSignals in [true, false] {
            let thread = try Thread(name: "test", takesSignals: takesSignals) {
                let isTermBlocked = isBlocked(SIGTERM)
                blocked.withLock { $0.append(isTermBlocked) }
            }
            thread.join()
        }
        #expect(blocked.withLock { $0 } == [isBlocked(SIGTERM), true])
    }

    @Test func workOnAThreadOfItsOwnComesBack() async {
        #expect(await onOwnThread(within: .seconds(60)) { 7 } == 7)
    }

    @Test func anAnswerThatDoesNotComeIsNilAtItsDeadline() async {
        let mayEnd = Latch()
        #expect(await onOwnThread(within: .zero) { mayEnd.wait() } == nil)
        mayEnd.open()
    }
}

@Suite struct LatchTests {
    @Test func aLatchThatWasOpenedHoldsNobody() {
        let latch = Latch()
        latch.open()
        latch.wait()
        #expect(latch.wait(within: .zero))
        #expect(latch.wait(within: .seconds(60)))
    }

    @Test func aLatchThatWasPassedIsShut() {
        let latch = Latch()
        for _ in 0..<3 { latch.open() }
        #expect(latch.pass(within: .seconds(60)))
        #expect(!latch.pass(within: .nanoseconds(1)) && !latch.wait(within: .nanoseconds(1)))
        latch.open()
        #expect(latch.pass(within: .seconds(60)))
    }

    @Test func aLatchThatStaysShutIsGivenUp() {
        #expect(!Latch().wait(within: .nanoseconds(1)))
    }

    @Test func oneOpeningLetsEverybodyGo() throws {
        let latch = Latch()
        let threads = try (0..<4).map { _ in try Thread(name: "test") { latch.wait() } }
        latch.open()
        for thread in threads { thread.join() }
    }
}

@Suite struct PublishedTests {
    @Test func theVersionGrowsWithEachPublicationAndBelongsToItsValue() throws {
        let published = Published(0)
        let writer = try Thread(name: "publish") { for number in 1...20_000 { published.publish(number) } }
        var last: UInt64 = 0
        while last < 20_000 {
            let seen = published.version
            let (version, value) = published.current()
            #expect(version >= seen && version >= last && value == Int(version))
            last = version
        }
        writer.join()
    }
}

@Suite struct SystemErrorTests {
    @Test func aNegatedErrnoIsThrown() {
        #expect(throws: SystemError.brokenPipe) { try checked(-EPIPE) }
        #expect((try? checked(3)) == 3)
        #expect(SystemError.refused.summary == "Connection refused")
    }
}
