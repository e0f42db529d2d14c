//! Values from 40-digit arithmetic, and the limits.

use super::*;

fn check(name: &str, got: f64, expected: f64, tolerance: f64) {
    assert!(((got - expected) / expected).abs() <= tolerance, "{name}: {got}, not {expected}");
}

macro_rules! values {
    ($tolerance:literal: $(($function:ident, $($x:expr),+ => $expected:expr),)+) => {$(
        check(stringify!($function($($x),+)), $function($($x),+), $expected, $tolerance);
    )+};
}

#[test]
fn bessel_functions() {
    values! { 4e-15:
        (bessel_j0, 0.25 => 0.9844359292958527),
        (bessel_j0, 3.0 => -0.26005195490193345),
        (bessel_j0, 8.0 => 0.1716508071375539),
        (bessel_j0, 20.0 => 0.16702466434058316),
        (bessel_j1, 0.25 => 0.12402597732272692),
        (bessel_j1, 3.0 => 0.3390589585259365),
        (bessel_j1, 8.0 => 0.23463634685391463),
        (bessel_j1, 20.0 => 0.06683312417585005),
        (bessel_y0, 0.25 => -0.9315730249300587),
        (bessel_y0, 3.0 => 0.3768500100127904),
        (bessel_y0, 8.0 => 0.22352148938756622),
        (bessel_y0, 20.0 => 0.06264059680938383),
        (bessel_y1, 0.25 => -2.7041052293152825),
        (bessel_y1, 3.0 => 0.3246744247918),
        (bessel_y1, 8.0 => -0.1580604617312475),
        (bessel_y1, 20.0 => -0.1655116143625213),
        (i0, 0.001 => 1.0000002500000156),
        (i0, 1.5 => 1.646723189772891),
        (i0, 7.0 => 168.5939085102897),
        (i0, 9.0 => 1093.5883545113747),
        (i0, 300.0 => 4.475847367935052e+128),
        (i1, 0.001 => 0.0005000000625000026),
        (i1, 1.5 => 0.9816664285779075),
        (i1, 7.0 => 156.03909286995545),
        (i1, 9.0 => 1030.9147225169565),
        (i1, 300.0 => 4.468381385036955e+128),
        (modified_bessel_k0, 0.001 => 7.023688800562382),
        (modified_bessel_k0, 1.5 => 0.21380556264752573),
        (modified_bessel_k0, 7.0 => 0.0004247957418692318),
        (modified_bessel_k0, 9.0 => 5.0881312956459246e-05),
        (modified_bessel_k0, 300.0 => 3.7236948548891435e-132),
        (modified_bessel_k1, 0.001 => 999.9962381560856),
        (modified_bessel_k1, 1.5 => 0.2773878004568438),
        (modified_bessel_k1, 7.0 => 0.00045418248688489695),
        (modified_bessel_k1, 9.0 => 5.363701637945195e-05),
        (modified_bessel_k1, 300.0 => 3.7298958583323724e-132),
    }
    // Far out, where an argument of the phase has lost digits.
    values! { 2e-12:
        (bessel_j0, 1e5 => -0.0017192011162359723),
        (bessel_y1, 1e5 => 0.0017192103500882562),
    }
    assert_eq!((i0(f64::INFINITY), i0e(f64::INFINITY), bessel_j1(-f64::INFINITY)), (f64::INFINITY, 0.0, 0.0));
    assert_eq!((bessel_y0(0.0), modified_bessel_k1(0.0)), (f64::NEG_INFINITY, f64::INFINITY));
    assert!(
        [bessel_y0(-1.0), modified_bessel_k0(-1.0), bessel_j0(f64::NAN), i1(f64::NAN)]
            .iter()
            .all(|x| x.is_nan())
    );
    assert_eq!(i1(-1.5), -i1(1.5));
    check("i0 near its end", i0(713.0), 6.705_128_263_670_996e307, 1e-12);
}

#[test]
fn error_functions() {
    values! { 2e-14:
        (erfcx, -20.0 => 1.0442939379528289e+174),
        (erfcx, -0.5 => 1.952360489182557),
        (erfcx, 0.25 => 0.7703465477309968),
        (erfcx, 3.0 => 0.17900115118138996),
        (erfcx, 1000.0 => 0.0005641893014533876),
        (log_ndtr, -40.0 => -804.6084420137538),
        (log_ndtr, -2.0 => -3.783184333682032),
        (log_ndtr, -0.5 => -1.1759117615936185),
        (log_ndtr, 3.0 => -0.0013508099647481938),
        (log_ndtr, 9.0 => -1.1285884059538405e-19),
        (ndtri, 0.001 => -3.0902323061678136),
        (ndtri, 0.3 => -0.5244005127080408),
        (ndtri, 0.75 => 0.6744897501960817),
    }
    assert_eq!(
        (erfcx(-30.0), erfcx(f64::INFINITY), log_ndtr(f64::NEG_INFINITY)),
        (f64::INFINITY, 0.0, f64::NEG_INFINITY)
    );
    assert_eq!((ndtri(0.0), ndtri(0.5), ndtri(1.0)), (f64::NEG_INFINITY, 0.0, f64::INFINITY));
    assert!(ndtri(-0.1).is_nan() && ndtri(1.1).is_nan());
    assert_eq!((entr(0.0), entr(-1.0), xlog1py(0.0, -1.0)), (0.0, f64::NEG_INFINITY, 0.0));
    assert!(xlog1py(0.0, f64::NAN).is_nan());
}

#[test]
fn zeta_and_polygamma() {
    values! { 4e-15:
        (zeta, 1.001, 0.5 => 1001.9648639703559),
        (zeta, 2.5, 10.0 => 0.02272869919453454),
        (zeta, 50.0, 30.0 => 1.7339354776081936e-74),
        (zeta, 3.0, 200.0 => 1.2562656248697949e-05),
        (polygamma, 0.5, 1.0 => 4.934802200544679),
        (polygamma, 30.0, 2.0 => -0.0011487652037286),
        (polygamma, -2.3, 1.0 => 14.725912160961292),
        (polygamma, -0.5, 4.0 => -3.4742498266672253),
        (polygamma, 1000.0, 20.0 => -1.2286580895552956e-43),
        (polygamma, -150.25, 3.0 => 1558.54545596026),
    }
    assert_eq!(
        (zeta(1.0, 2.0), zeta(2.0, -3.0), zeta(2.0, f64::INFINITY)),
        (f64::INFINITY, f64::INFINITY, 0.0)
    );
    assert!(zeta(0.5, 2.0).is_nan() && zeta(2.5, -0.5).is_nan());
}

#[test]
fn incomplete_gamma_functions() {
    values! { 4e-14:
        (gammainc, 0.5, 0.25 => 0.5204998778130465),
        (gammaincc, 0.5, 0.25 => 0.4795001221869535),
        (gammainc, 10.0, 12.0 => 0.7576078383294876),
        (gammaincc, 10.0, 12.0 => 0.24239216167051233),
        (gammainc, 150.0, 130.0 => 0.046065544014896063),
        (gammaincc, 150.0, 130.0 => 0.953934455985104),
        (gammainc, 5000.0, 4900.0 => 0.07794495622651391),
        (gammaincc, 5000.0, 4900.0 => 0.9220550437734861),
        (gammainc, 1e-09, 0.7 => 0.9999999996262312),
        (gammaincc, 1e-09, 0.7 => 3.737688435181982e-10),
        (gammainc, 0.3, 1e-05 => 0.03523536061556258),
        (gammaincc, 0.3, 1e-05 => 0.9647646393844375),
    }
    // Where x is much smaller than a.
    values! { 1e-13:
        (gammainc, 10.0, 1e-20 => 2.7557319223985875e-207),
        (gammainc, 12.0, 1e-15 => 2.08767569878681e-189),
        (gammainc, 17.0, 1e-12 => 2.8114572543428645e-219),
        (gammainc, 10.0, 1e-6 => 2.7557294171888974e-67),
    }
    assert_eq!((gammainc(0.0, 1.0), gammaincc(0.0, 1.0), gammainc(1.0, 0.0)), (1.0, 0.0, 0.0));
    assert_eq!((gammainc(f64::INFINITY, 1.0), gammainc(1.0, f64::INFINITY)), (0.0, 1.0));
    assert!(gammainc(0.0, 0.0).is_nan() && gammainc(-1.0, 1.0).is_nan() && gammaincc(1.0, -1.0).is_nan());
    // On both sides of where the uniform expansion takes over.
    for (a, x) in [(1e6, 0.999e6), (1e6, 1.002e6)] {
        check("gammainc", gammainc(a * (1.0 + 1e-9), x * (1.0 + 1e-9)), gammainc(a, x), 1e-6);
        let sum = gammainc(2.0 * a, 2.0 * x) + gammaincc(2.0 * a, 2.0 * x);
        check("the sum of both", sum, 1.0, 1e-15);
    }
}

#[test]
fn derivatives_keep_their_digits() {
    values! { 2e-13:
        (erfcx_derivative, -1.5, 2.0 => 208.57788632017662),
        (erfcx_derivative, 0.5, 3.0 => -1.3320634261270818),
        (erfcx_derivative, 3.0, 1.0 => -0.05437226000717287),
        (erfcx_derivative, 3.0, 2.0 => 0.03176874231974267),
        (erfcx_derivative, 40.0, 1.0 => -0.0003522884252874839),
        (erfcx_derivative, 40.0, 2.0 => 1.75979437569139e-05),
        (erfcx_derivative, 1.0, 4.0 => 0.9017351091669803),
        (erfcx_derivative, 700.0, 2.0 => 3.289715039954818e-09),
        (bessel_j_ratio, 0.5, 1.0 => 0.4845369153497478),
        (bessel_j_ratio, 0.5, 2.0 => 0.12241609383473057),
        (bessel_j_ratio, 5.0, 2.0 => 0.0018626046511100887),
        (bessel_j_ratio, 1.9, 3.0 => 0.016536434850409697),
        (bessel_i_ratio, 0.001, 2.0 => 0.125000010416667),
        (bessel_ie_ratio, 0.001, 2.0 => 0.1248750728854274),
        (bessel_i_ratio, 0.5, 1.0 => 0.5157886107817926),
        (bessel_ie_ratio, 0.5, 1.0 => 0.3128416063697434),
        (bessel_i_ratio, 5.0, 2.0 => 0.7002245986649694),
        (bessel_ie_ratio, 5.0, 2.0 => 0.004718076233260457),
        (bessel_i_ratio, 25.0, 2.0 => 8515090.233721623),
        (bessel_ie_ratio, 25.0, 2.0 => 0.00011825709517102926),
        (bessel_i_ratio, 60.0, 1.0 => 9.741252647317448e+22),
        (bessel_ie_ratio, 60.0, 1.0 => 0.0008529938364838119),
        (spherical_bessel_j1, 0.001 => 0.0003333333000000012),
        (spherical_bessel_j1, 0.4 => 0.13121215442185288),
        (spherical_bessel_j1, 0.6 => 0.19289195680341215),
        (spherical_bessel_j1, 5.0 => -0.0950894080791708),
        (ndtr, -25.6 => 7.627708693943776e-145),
        (ndtr, -5.0 => 2.866515718791939e-07),
        (ndtr, -1.5 => 0.06680720126885807),
        (ndtr, 0.3 => 0.6179114221889527),
        (digamma, -0.99999 => -99999.57718967069),
        (digamma, -3.000001 => 1000001.2559748844),
    }
    assert_eq!((erfcx_derivative(f64::INFINITY, 2.0), spherical_bessel_j1(f64::INFINITY)), (0.0, 0.0));
    assert_eq!((bessel_i_ratio(f64::INFINITY, 2.0), bessel_ie_ratio(0.0, 2.0)), (f64::INFINITY, 0.125));
}
