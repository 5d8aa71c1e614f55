//! CPU operations that candle lacks, each with a plain-candle twin.
