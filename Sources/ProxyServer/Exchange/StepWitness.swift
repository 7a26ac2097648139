#if SIMULATION
    /// Told of every step, for the simulator's account of what it has reached. It is set before there is a worker, and the
    /// simulator has one thread.
    nonisolated(unsafe) package var stepWitness: ((Phase, Event) -> Void)?
#endif
