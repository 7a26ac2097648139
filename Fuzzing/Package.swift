// swift-tools-version: 6.2
import PackageDescription

// `HTTP1` is a link to the product's own sources: its interface has `package` access, which ends at a package's edge.
let settings: [SwiftSetting] = [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]

let package = Package(
    name: "Fuzzing",
    targets: [
        .target(name: "HTTP1", swiftSettings: settings),
        .target(name: "FuzzSupport", dependencies: ["HTTP1"], swiftSettings: settings),
    ]
        + ["RequestHeadFuzzer", "ResponseHeadFuzzer", "ChunkedFuzzer"].map {
            .executableTarget(name: $0, dependencies: ["HTTP1", "FuzzSupport"], swiftSettings: settings)
        }
)
