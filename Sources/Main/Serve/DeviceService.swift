internal import AccessPolicy
internal import DeviceFlow
internal import Logging
internal import Synchronization
internal import System

/// The device flow in this run, with its doors to the rest of the program.
final class DeviceService: Sendable {
    let flow: DeviceAuthorizer
    private let published: Changed

    /// What is called when the grants have changed; nothing before the server is there.
    private final class Changed: Sendable {
        let call = Mutex<(@Sendable () -> Void)?>(nil)
    }

    /// The grants that there are hold when this returns.
    /// - Returns: nil when it is off.
    init?(_ plan: ServePlan, _ sockets: Sockets, _ live: LiveAliases, _ log: Logger) throws(Failure) {
        guard let settings = plan.device else { return nil }
        if let first = settings.problems(plan, listen: sockets.text, admin: sockets.adminText).first { throw first }
        let store = try DeviceSettings.store(plan)
        let published = Changed()
        self.published = published
        let doors = DeviceAuthorizer.Doors(
            ceiling: { live.ceiling },
            publish: { grants in
                live.replace(grants)
                published.call.withLock { $0 }?()
            },
            isNameTaken: { live.isNameTaken($0) },
            approvers: { live.approvers }, adminToken: { live.adminToken },
            note: { Self.log($0, log) })
        do throws(SystemError) {
            flow = try DeviceAuthorizer(settings.flow(plan, sockets), store, doors)
        } catch {
            throw Failure(.system, "device flow: \(error.summary)")
        }
        do throws(DeviceStoreFailure) {
            try flow.loadFirst()
        } catch {
            // A login that holds would be taken for one that has ended, and the client would forget it.
            throw Failure(.unavailable, "--device-flow: \(error.message)")
        }
    }

    /// From now on the workers are told.
    func publishes(_ changed: @escaping @Sendable () -> Void) {
        published.call.withLock { $0 = changed }
        // What was published before nobody listened.
        changed()
    }

    private static func log(_ event: DeviceEvent, _ log: Logger) {
        var metadata: Logger.Metadata = ["event": "\(event.kind.rawValue)"]
        for (name, value) in event.fields { metadata[name] = "\(value)" }
        log.log(
            level: event.kind == .failed || event.kind == .replayed ? .warning : .notice, "device flow",
            metadata: metadata)
    }
}
