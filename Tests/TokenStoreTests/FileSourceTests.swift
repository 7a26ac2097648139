import Foundation
import System
import Testing

@testable import TokenStore

/// A folder of the test's own, gone with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/tokenstore-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    func write(_ text: String, to name: String) {
        let descriptor = open(file(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        precondition(descriptor >= 0)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        precondition(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
    }
}

@Suite struct FileSourceTests {
    let folder = TemporaryFolder()
    let request = FetchRequest(cause: .start, current: nil)

    func source(_ name: String = "token") -> FileSource {
        FileSource(path: folder.file(name), origin: .tokenFileFlag)
    }

    @Test func readsAndTrims() async throws {
        folder.write("  abc\n", to: "token")
        let source = source()
        #expect(await source.hasChanged())
        #expect(text(try await source.fetch(request).token) == "abc")
        #expect(await !source.hasChanged())
        folder.write(String(repeating: "a", count: 4096) + "\n", to: "token")
        #expect(await source.hasChanged())
        #expect(try await source.fetch(request).token.count == 4096)
    }

    @Test func everyKindOfChangeIsSeen() async throws {
        folder.write("one", to: "token")
        let source = source()
        _ = try await source.fetch(request)
        // Same size, same name, renamed over the old one.
        folder.write("two", to: "next")
        rename(folder.file("next"), folder.file("token"))
        #expect(await source.hasChanged())
        #expect(text(try await source.fetch(request).token) == "two")
        unlink(folder.file("token"))
        #expect(await source.hasChanged())
        // A symbolic link that is swapped, as Kubernetes does.
        folder.write("three", to: "a")
        symlink("a", folder.file("token"))
        #expect(text(try await source.fetch(request).token) == "three")
        folder.write("four!", to: "b")
        symlink("b", folder.file("swap"))
        rename(folder.file("swap"), folder.file("token"))
        #expect(await source.hasChanged())
        #expect(text(try await source.fetch(request).token) == "four!")
    }

    @Test func badFilesAreNamed() async {
        let source = source()
        await #expect(throws: TokenSourceError.file(.missing)) { try await source.fetch(request) }
        folder.write("", to: "token")
        await #expect(throws: TokenSourceError.file(.unusable(.empty))) { try await source.fetch(request) }
        folder.write("two words", to: "token")
        await #expect(throws: TokenSourceError.file(.unusable(.illegalByte))) { try await source.fetch(request) }
        folder.write(String(repeating: "a", count: 4097), to: "token")
        await #expect(throws: TokenSourceError.file(.unusable(.tooLong))) { try await source.fetch(request) }
        folder.write(String(repeating: " ", count: 10_000), to: "token")
        await #expect(throws: TokenSourceError.file(.unusable(.tooLong))) { try await source.fetch(request) }
        let directory = FileSource(path: folder.path, origin: .tokenFileFlag)
        await #expect(throws: TokenSourceError.file(.notRegular)) { try await directory.fetch(request) }
        mkfifo(folder.file("fifo"), 0o600)
        await #expect(throws: TokenSourceError.file(.notRegular)) { try await self.source("fifo").fetch(request) }
    }

    /// A changed file is taken up by the broker's polling, a bad one keeps the old token.
    @Test func theBrokerFollowsTheFile() async {
        folder.write("one", to: "token")
        let clock = VirtualClock()
        let publisher = TokenPublisher(initial: initialSnapshot(kind: .static))
        let recorder = Recorder()
        let broker = TokenBroker(
            source: source(), publisher: publisher, clock: clock, random: { 0 }, log: recorder.log, wake: recorder.wake)
        let life = Task { await broker.run() }
        #expect(await eventually { text(publisher.current().token) == "one" && clock.earliest != nil })
        #expect(!publisher.current().isRenewable)

        folder.write("", to: "token")
        clock.advance(by: .seconds(1))
        #expect(await eventually { publisher.current().health == .degraded(.file(.unusable(.empty))) })
        #expect(text(publisher.current().token) == "one")
        #expect(await eventually { clock.earliest != nil })

        folder.write("second", to: "token")
        clock.advance(by: .seconds(1))
        #expect(await eventually { publisher.current().health == .ready })
        #expect(text(publisher.current().token) == "second")
        life.cancel()
        await life.value
    }
}
