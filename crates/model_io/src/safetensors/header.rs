//! What the format demands of a header and its reader does not check.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// The bytes of the header's length, with which a file begins.
pub(super) const LENGTH: u64 = 8;

/// The longest header that the format allows.
pub(super) const MOST: u64 = 100_000_000;

/// The names in a header, each there once.
struct UniqueNames;

impl<'de> Deserialize<'de> for UniqueNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = UniqueNames;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UniqueNames, A::Error> {
                let mut seen = HashSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    map.next_value::<IgnoredAny>()?;
                    if let Some(name) = seen.replace(name) {
                        return Err(A::Error::custom(format!("its header has the name '{name}' twice")));
                    }
                }
                Ok(UniqueNames)
            }
        }
        deserializer.deserialize_map(Names)
    }
}

/// Why the names in a header, which is JSON, are not unique; `None` if they are.
pub(super) fn duplicate(header: &[u8]) -> Option<String> {
    serde_json::from_slice::<UniqueNames>(header).err().map(|error| error.to_string())
}
