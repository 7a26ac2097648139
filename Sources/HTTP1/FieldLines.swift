/// One field line (RFC 9112 §5): name and value as they came, the value without the blanks around it.
@usableFromInline
package struct FieldLine: Sendable, Equatable {
    @usableFromInline package var name: ByteSlice
    @usableFromInline package var value: ByteSlice
    /// What the name is.
    @usableFromInline package let known: KnownField
    /// The line is `name: value` and its end, with letters, digits and hyphens in the name: it may go on as it stands.
    @usableFromInline package let isUsual: Bool

    @inline(__always)
    init(name: ByteSlice, value: ByteSlice, known: KnownField, isUsual: Bool) {
        self.name = name
        self.value = value
        self.known = known
        self.isUsual = isUsual
    }

    /// - Parameter bytes: the buffer that the slices point into.
    package init(name: ByteSlice, value: ByteSlice, in bytes: Span<UInt8>) {
        self.init(name: name, value: value, known: KnownField(bytes, name), isUsual: false)
    }

    static let none = FieldLine(name: .empty, value: .empty, known: .unknown, isUsual: false)
}

/// The field lines of a head, in their order, and which of the known fields are among them.
@usableFromInline
package struct FieldLines: Sendable, RandomAccessCollection, ExpressibleByArrayLiteral {
    /// Those that count, and behind them room for more.
    @usableFromInline var lines: [FieldLine] = []
    @usableFromInline package private(set) var count = 0
    /// The first line of each known field that is there; what others have here is old.
    @usableFromInline var firsts = InlineArray<64, UInt32>(repeating: 0)
    /// The known fields that are there.
    @usableFromInline package private(set) var present = KnownFields()
    /// The known fields that are there more than once.
    @usableFromInline package private(set) var repeated = KnownFields()

    package init() {}

    @usableFromInline
    package init(arrayLiteral lines: FieldLine...) {
        for line in lines { append(line) }
    }

    @inlinable package var startIndex: Int { 0 }
    @inlinable package var endIndex: Int { count }
    @inlinable package subscript(index: Int) -> FieldLine { lines[index] }

    /// Lines for which there is room without an allocation.
    package var capacity: Int { lines.count }

    @inlinable @inline(__always)
    package func contains(_ field: KnownField) -> Bool { present.contains(field) }

    // Inlined: a call would be handed a copy of all the bytes.

    /// Where to find a field's lines: from the first on, and nowhere else if there is only one. Others may stand
    /// between them.
    @inlinable @inline(__always)
    package func indices(around field: KnownField) -> Range<Int> {
        guard contains(field) else { return 0..<0 }
        let first = Int(firsts[Int(field.rawValue)])
        return first..<(repeated.contains(field) ? count : first + 1)
    }

    /// The value of a field's first line.
    @inlinable @inline(__always)
    package func first(_ field: KnownField) -> ByteSlice? {
        contains(field) ? lines[Int(firsts[Int(field.rawValue)])].value : nil
    }

    /// A field's line, when there is no other of it and it is of the usual form.
    @inline(__always)
    func onlyUsual(_ field: KnownField) -> FieldLine? {
        guard contains(field), !repeated.contains(field) else { return nil }
        let line = lines[Int(firsts[Int(field.rawValue)])]
        return line.isUsual ? line : nil
    }

    mutating func append(_ line: FieldLine) {
        reserve(count + 1)
        lines[count] = line
        let bit = KnownFields(line.known)
        if (present & bit).isEmpty { firsts[Int(line.known.rawValue)] = UInt32(truncatingIfNeeded: count) }
        note(count + 1, present | bit, repeated | present & bit)
    }

    /// Makes room for so many lines.
    mutating func reserve(_ most: Int) {
        guard lines.count < most else { return }
        lines.append(contentsOf: repeatElement(.none, count: Swift.max(16, lines.count)))
    }

    /// Counts lines in that were put into the room behind the others.
    mutating func note(_ count: Int, _ present: KnownFields, _ repeated: KnownFields) {
        (self.count, self.present, self.repeated) = (count, present, repeated)
    }

    /// Makes it empty, and keeps the room.
    mutating func removeAll() {
        count = 0
        present = KnownFields()
        repeated = KnownFields()
    }
}
