//! The files of a crate, and which of them import which: read off the tokens, without resolving types.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

/// The path of a module in its crate; that of the root is empty.
pub(crate) type Module = Vec<String>;

/// A crate as its files.
pub(crate) struct House {
    files: BTreeMap<Module, File>,
}

/// One file of a crate.
#[derive(Default)]
struct File {
    children: BTreeSet<String>,
    /// What it names from elsewhere and does not hand on.
    named: Vec<Vec<String>>,
    /// What it hands on, by name. Who imports that imports what is behind it; so does the file itself where it uses the name.
    handed_on: HashMap<String, Vec<String>>,
    /// The words that its paths begin with.
    words: BTreeSet<String>,
}

impl House {
    /// Reads the crate whose root is `root`.
    pub(crate) fn read(root: &Path) -> Self {
        let mut house = Self { files: BTreeMap::new() };
        let folder = root.parent().expect("a root lies in a folder");
        house.add(Module::new(), root, folder);
        house
    }

    fn add(&mut self, module: Module, path: &Path, folder: &Path) {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut file = File::default();
        file.read(tokens);
        let used = file.handed_on.iter().filter(|(name, _)| file.words.contains(*name));
        file.named.extend(used.map(|(_, path)| path.clone()));
        for child in &file.children {
            let (flat, inner) = (folder.join(format!("{child}.rs")), folder.join(child));
            let path = if flat.exists() { flat } else { inner.join("mod.rs") };
            let module = module.iter().chain([child]).cloned().collect();
            self.add(module, &path, &inner);
        }
        self.files.insert(module, file);
    }

    /// All files but the root, by their modules.
    pub(crate) fn modules(&self) -> impl Iterator<Item = &Module> {
        self.files.keys().filter(|module| !module.is_empty())
    }

    /// Which file imports which; the root, which is only a face, counts for nothing.
    pub(crate) fn imports(&self) -> BTreeSet<(Module, Module)> {
        let mut imports = BTreeSet::new();
        for (module, file) in self.files.iter().filter(|(module, _)| !module.is_empty()) {
            let found = file.named.iter().filter_map(|path| self.resolve(module, path, 0));
            imports.extend(found.filter(|found| found != module).map(|found| (module.clone(), found)));
        }
        imports
    }

    /// What is named through the root instead of where it is: the file, and the name.
    pub(crate) fn through_the_face(&self) -> Vec<(Module, String)> {
        let root = self.files.get(&Module::new()).map(|root| &root.handed_on);
        let is_face = |path: &[String]| match path {
            [first, name, ..] if first == "crate" => root.is_some_and(|handed_on| handed_on.contains_key(name)),
            _ => false,
        };
        let all = self.files.iter().flat_map(|(module, file)| file.named.iter().map(move |path| (module, path)));
        let through = all.filter(|(module, path)| !module.is_empty() && is_face(path));
        through.map(|(module, path)| (module.clone(), path.join("::"))).collect()
    }

    /// The file that has what `path` names in `module`; none for what is of another crate.
    fn resolve(&self, module: &Module, path: &[String], depth: usize) -> Option<Module> {
        assert!(depth < 64, "names that lead to each other: {path:?} in {module:?}");
        let mut at = module.clone();
        let mut rest = path;
        match path.split_first()? {
            (first, behind) if first == "crate" => (at, rest) = (Module::new(), behind),
            (first, behind) if first == "self" => rest = behind,
            (first, _) if first == "super" => {
                while let Some((_, behind)) = rest.split_first().filter(|(first, _)| *first == "super") {
                    at.pop();
                    rest = behind;
                }
            }
            (first, _) if !self.files.get(&at)?.children.contains(first) => return None,
            _ => {}
        }
        while let Some((name, behind)) = rest.split_first() {
            let file = self.files.get(&at)?;
            if file.children.contains(name) {
                at.push(name.clone());
            } else if let Some(path) = file.handed_on.get(name) {
                return self.resolve(&at, path, depth + 1).or(Some(at));
            } else {
                break;
            }
            rest = behind;
        }
        Some(at)
    }
}

impl File {
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        let mut public = false;
        let mut is_member = false;
        while let Some((token, behind)) = rest.split_first() {
            match token {
                // An attribute, or a comment for readers, which is one. A test may look at anything.
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    rest = after_attribute(behind);
                    continue;
                }
                TokenTree::Ident(word) if word == "pub" => {
                    let scope = behind.first().filter(|next| is_group(next, Delimiter::Parenthesis));
                    (public, rest) = (true, behind.get(usize::from(scope.is_some())..).unwrap_or_default());
                    continue;
                }
                TokenTree::Ident(word) if word == "mod" => {
                    if let [TokenTree::Ident(name), TokenTree::Punct(end), ..] = behind
                        && end.as_char() == ';'
                    {
                        self.children.insert(name.to_string());
                        (public, rest) = (false, behind.get(2..).unwrap_or_default());
                        continue;
                    }
                }
                TokenTree::Ident(word) if word == "use" => {
                    let end = behind.iter().position(|token| is_punct(token, ';')).unwrap_or(behind.len());
                    let (tree, behind) = behind.split_at(end);
                    let mut paths = Vec::new();
                    spread(tree, &[], &mut paths);
                    if public {
                        let names = paths.iter().filter_map(|path| Some((path.last()?.clone(), path.clone())));
                        self.handed_on.extend(names);
                    } else {
                        self.named.append(&mut paths);
                    }
                    (public, rest) = (false, behind);
                    continue;
                }
                TokenTree::Ident(_) => {
                    let length = path_length(rest);
                    let (path, behind) = rest.split_at(length);
                    if length > 1 {
                        self.named.push(path.iter().filter_map(word).collect());
                    }
                    self.words.extend(path.first().and_then(word).filter(|_| !is_member));
                    (public, is_member, rest) = (false, false, behind);
                    continue;
                }
                TokenTree::Group(group) => self.read(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            (public, is_member, rest) = (false, is_punct(token, '.'), behind);
        }
    }
}

/// What stands behind an attribute, whose `#` is gone; behind `#[cfg(test)]`, what stands behind its item.
fn after_attribute(tokens: &[TokenTree]) -> &[TokenTree] {
    let inner = tokens.first().is_some_and(|token| is_punct(token, '!'));
    let Some((TokenTree::Group(attribute), behind)) = tokens.get(usize::from(inner)..).and_then(<[_]>::split_first)
    else {
        return tokens;
    };
    if attribute.stream().to_string().replace(' ', "") != "cfg(test)" {
        return behind;
    }
    let end = behind.iter().position(|token| is_punct(token, ';') || is_group(token, Delimiter::Brace));
    behind.get(end.map_or(behind.len(), |end| end + 1)..).unwrap_or_default()
}

/// The paths of the tree behind a `use`.
fn spread(tree: &[TokenTree], before: &[String], paths: &mut Vec<Vec<String>>) {
    for branch in tree.split(|token| is_punct(token, ',')).filter(|branch| !branch.is_empty()) {
        let mut path = before.to_vec();
        let mut is_open = false;
        for token in branch {
            match token {
                // Another name for the same.
                TokenTree::Ident(word) if word == "as" => break,
                TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Group(group) => {
                    spread(&group.stream().into_iter().collect::<Vec<_>>(), &path, paths);
                    is_open = true;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
        if !is_open {
            paths.push(path);
        }
    }
}

/// How many tokens the path takes that begins here.
fn path_length(tokens: &[TokenTree]) -> usize {
    let mut length = 1;
    while let Some([TokenTree::Punct(a), TokenTree::Punct(b), TokenTree::Ident(_)]) = tokens.get(length..length + 3)
        && (a.as_char(), b.as_char()) == (':', ':')
    {
        length += 3;
    }
    length
}

fn word(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    }
}

fn is_punct(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}
