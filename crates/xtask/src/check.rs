pub fn run(_root: &std::path::Path, _files: &[(std::path::PathBuf, String)]) -> Result<(), String> {
    Ok(())
}
