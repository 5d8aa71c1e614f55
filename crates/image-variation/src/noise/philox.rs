//! Philox 4×32-10 (Salmon et al. 2011): a generator without state, which gives the same numbers
//! on every machine and in every order.

/// 128 random bits for a counter and a key.
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let a = u64::from(counter[0]) * 0xd251_1f53;
        let b = u64::from(counter[2]) * 0xcd9e_8d57;
        counter = [
            (b >> 32) as u32 ^ counter[1] ^ key[0],
            b as u32,
            (a >> 32) as u32 ^ counter[3] ^ key[1],
            a as u32,
        ];
        key = [
            key[0].wrapping_add(0x9e37_79b9),
            key[1].wrapping_add(0xbb67_ae85),
        ];
    }
    counter
}

/// Appends `count` unit normal values of draw `draw` of picture `image`.
///
/// The counter is (block, draw, picture), the key the seed. Each block of four gives two pairs by
/// the Box–Muller transform, in f64 by functions that do not differ between machines.
pub(super) fn normals(seed: u64, image: u64, draw: u32, count: usize, out: &mut Vec<f32>) {
    let key = [seed as u32, (seed >> 32) as u32];
    let end = out.len() + count;
    let mut block = 0u32;
    while out.len() < end {
        let bits = philox([block, draw, image as u32, (image >> 32) as u32], key);
        for [radius, angle] in [[bits[0], bits[1]], [bits[2], bits[3]]] {
            // In (0, 1], so that the logarithm is finite.
            let radius = (f64::from(radius) + 1.) / 4_294_967_296.;
            let angle = f64::from(angle) / 4_294_967_296. * std::f64::consts::TAU;
            let radius = (-2. * libm::log(radius)).sqrt();
            out.push((radius * libm::cos(angle)) as f32);
            out.push((radius * libm::sin(angle)) as f32);
        }
        block = block.wrapping_add(1);
    }
    out.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_test_vectors() {
        // Known answers of the Random123 library for philox4x32-10.
        assert_eq!(
            philox([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn values_are_unit_normal() {
        let mut values = Vec::new();
        normals(42, 3, 0, 100_001, &mut values);
        assert_eq!(values.len(), 100_001);
        let moment = |k: i32| {
            values.iter().map(|&v| f64::from(v).powi(k)).sum::<f64>() / values.len() as f64
        };
        assert!(moment(1).abs() < 0.01, "{}", moment(1));
        assert!((moment(2) - 1.).abs() < 0.02, "{}", moment(2));
        assert!((moment(4) - 3.).abs() < 0.1, "{}", moment(4));
    }

    #[test]
    fn a_longer_draw_begins_with_the_shorter_one() {
        let (mut short, mut long) = (Vec::new(), Vec::new());
        normals(1, 2, 3, 5, &mut short);
        normals(1, 2, 3, 11, &mut long);
        assert_eq!(short, long[..5]);
    }
}
