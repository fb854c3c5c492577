//! Five-minute conversations about each agent's own subject.

use std::collections::HashSet;

use crate::call::Call;

/// Holds the conversation; each line must be answered from where it says, and no sentence may be
/// said twice.
fn hold(id: &str, script: &[(&str, &str)]) {
    let mut call = Call::to(id);
    let mut wrong = Vec::new();
    let mut said: HashSet<String> = HashSet::new();
    let mut words = 0;
    println!("\n{}: {}", call.agent.name, call.agent.greeting);
    for (text, used) in script {
        let found = call.say(text);
        println!(
            "caller: {text}\n{}: {}   [{} {:.2}]",
            call.agent.name, found.text, found.used, found.score
        );
        words += text.split(' ').count() + found.text.split(' ').count();
        if !found.used.starts_with(used) {
            wrong.push(format!(
                "{text:?}: {} ({:.2}), wanted {used}",
                found.used, found.score
            ));
        }
        if !said.insert(found.text.clone()) {
            wrong.push(format!("{text:?}: said before: {}", found.text));
        }
    }
    assert!(wrong.is_empty(), "{id}\n{}", wrong.join("\n"));
    // At 150 words a minute, with a second between the turns.
    let seconds = words * 60 / 150 + script.len() * 2;
    println!("about {seconds} s of talk");
    assert!(seconds >= 180, "{id}: only {seconds} s");
}

#[test]
fn cal_about_websites() {
    hold(
        "cal",
        &[
            ("hi cal how are you", "small talk how_are_you"),
            ("i'm fine thanks", "small talk i_am_fine"),
            ("i want to build a new website", "intent start_website"),
            ("it's for my little bakery", "open to start_website"),
            ("what belongs on the home page", "intent home_page"),
            ("why", "why home_page"),
            ("tell me more", "more the one page plan"),
            (
                "okay and which website builder should i use",
                "intent choose_builder",
            ),
            ("no i don't", "no to choose_builder"),
            ("how do i choose a domain name", "intent choose_domain"),
            ("not yet", "no to choose_domain"),
            ("how much does all that cost", "intent cost"),
            ("can i use photos from the internet", "intent pictures"),
            ("how will people find my site on google", "intent get_found"),
            ("i don't know what they search for", ""),
            ("and what if my website gets hacked", "intent security"),
            ("tell me about backups", "passage backups"),
            ("my name is anna by the way", "small talk tell_name"),
            ("are you a real person", "small talk are_you_human"),
            ("thank you that was helpful", "small talk thanks"),
            ("goodbye", "small talk goodbye"),
        ],
    );
}

#[test]
fn riven_about_business() {
    hold(
        "riven",
        &[
            ("hello riven", "small talk hello"),
            ("i have an idea for a business", "intent have_idea"),
            ("people who walk their dogs", "open to have_idea"),
            ("how do i test the idea", "passage testing an idea"),
            ("why", "why testing an idea"),
            ("how much should i charge", "intent set_price"),
            ("no", "no to set_price"),
            ("but someone already does this", "intent competition"),
            ("tell me more", "more a niche"),
            ("where do i find my first clients", "intent first_customers"),
            ("yes", "yes to first_customers"),
            ("do i need an investor", "intent money_to_start"),
            ("yes i could", "yes to money_to_start"),
            ("should i quit my job", "intent quit_job"),
            ("i have a bit", "open to quit_job"),
            ("what about taxes", "intent legal_form"),
            ("tell me a joke", "small talk joke"),
            ("what can you do", "small talk what_can_you_do"),
            ("thanks", "small talk thanks"),
            ("bye", "small talk goodbye"),
        ],
    );
}

#[test]
fn domingo_about_time() {
    hold(
        "domingo",
        &[
            ("hello how are you", "small talk how_are_you"),
            ("i have too much to do", "intent too_much"),
            ("why", "why too_much"),
            ("how do i say no to people", "intent say_no"),
            ("tell me more", "more saying no"),
            (
                "i put everything off until the last minute",
                "intent procrastination",
            ),
            ("my tax papers", "open to procrastination"),
            ("what is the two minute rule", "passage the two minute rule"),
            ("how do i focus", "intent focus"),
            ("yes it is", "yes to focus"),
            ("what is a pomodoro", "passage the pomodoro method"),
            ("i get too many emails", "intent email"),
            ("my name is peter", "small talk tell_name"),
            ("how much sleep do i need", "intent sleep"),
            ("how do i build a new habit", "intent habits"),
            ("i want to run every morning", "open to habits"),
            ("do you know my name", "small talk ask_name"),
            ("i am so stressed out", "small talk sad"),
            ("thank you very much", "small talk thanks"),
            ("goodbye", "small talk goodbye"),
        ],
    );
}

#[test]
fn arty_about_making_things() {
    hold(
        "arty",
        &[
            ("hi there", "small talk hello"),
            ("i need new ideas", "intent find_ideas"),
            ("a birthday card for my sister", "open to find_ideas"),
            ("i am stuck", "intent stuck"),
            ("nothing yet", "no to stuck"),
            ("which colors go together", "intent pick_colors"),
            ("tell me more", "more colors"),
            ("how do i tell a good story", "intent tell_story"),
            ("an old sailor", "open to tell_story"),
            ("give me an exercise", "intent exercise"),
            ("another exercise please", ""),
            ("i can not draw", "intent draw"),
            ("how do i take better photos", "intent photo"),
            ("is it okay to copy other artists", "intent style"),
            ("why", "why style"),
            ("i never finish anything", "intent finish"),
            ("are you a robot", "small talk are_you_human"),
            ("tell me a joke", "small talk joke"),
            ("that was great thank you", "small talk"),
            ("bye bye", "small talk goodbye"),
        ],
    );
}

#[test]
fn loopseeker_about_patterns() {
    hold(
        "loopseeker",
        &[
            ("hello", "small talk hello"),
            (
                "i make the same mistake again and again",
                "intent same_mistake",
            ),
            ("i shouted at my brother on sunday", "open to same_mistake"),
            ("how do i find my trigger", "intent trigger"),
            ("what is a feedback loop", "intent what_is_loop"),
            ("tell me more", "more feedback"),
            ("we always have the same argument", "intent arguments"),
            ("no", "no to arguments"),
            ("why", "why arguments"),
            ("is it just a coincidence", "intent coincidence"),
            ("what does random look like", "passage chance"),
            ("how do i collect data", "intent data"),
            ("how do i break a bad habit", "intent break_habit"),
            ("eating chocolate at night", "open to break_habit"),
            ("what are the five whys", "passage the five whys"),
            ("give me a riddle", "intent puzzle"),
            ("are you recording me", "small talk privacy"),
            ("who made you", "small talk who_made_you"),
            ("thanks a lot", "small talk thanks"),
            ("i have to go", "small talk goodbye"),
        ],
    );
}
