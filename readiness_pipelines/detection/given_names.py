"""Given names that are common somewhere, and family names written in Han: a few of many, enough to tell a column."""

import re
import unicodedata

_GIVEN = """
james mary john patricia robert jennifer michael linda william elizabeth david barbara richard susan joseph
jessica thomas sarah charles karen christopher nancy daniel lisa matthew betty anthony margaret mark sandra donald
ashley steven kimberly paul emily andrew donna joshua michelle kenneth carol kevin amanda brian dorothy george
melissa edward deborah ronald stephanie timothy rebecca jason sharon jeffrey laura ryan cynthia jacob kathleen
gary amy nicholas angela eric shirley jonathan anna stephen brenda larry pamela justin emma scott nicole brandon
helen benjamin samantha samuel katherine gregory christine frank debra alexander rachel raymond carolyn patrick
janet jack catherine dennis maria jerry heather tyler diane aaron ruth jose julie adam olivia henry joyce nathan
virginia douglas victoria zachary kelly peter lauren kyle christina ethan joan walter evelyn noah judith jeremy
megan christian andrea keith cheryl roger hannah terry jacqueline gerald martha harold gloria sean teresa austin
ann carl arthur madison lawrence frances dylan kathryn jesse janice jordan jean bryan abigail billy alice joe
julia bruce judy gabriel sophia logan grace albert denise willie amber alan doris juan marilyn wayne danielle
elijah beverly randy isabella roy theresa vincent diana ralph natalie eugene brittany russell charlotte bobby
marie mason kayla philip alexis louis lori harry liam oliver oscar theo leo luke max mia ella chloe sophie lucy
holly gemma nigel graham ian neil stuart craig darren gareth fiona hans peter klaus jurgen wolfgang dieter uwe
bernd manfred helmut gerhard horst karl heinz werner gunter stefan andreas torsten matthias jens sven ralf ulrich
dirk markus tobias sebastian florian felix lukas jonas leon finn moritz ursula monika petra sabine renate ingrid
helga birgit gisela brigitte heike susanne anke katrin kerstin silke ute claudia martina anja nadine tanja jana
lena lea johanna franziska hannelore elfriede waltraud heinrich ludwig friedrich rolf detlef joachim jochen holger
jean pierre michel andre philippe alain jacques bernard marcel daniel rene claude francois laurent nicolas olivier
thierry pascal eric frederic sylvie isabelle catherine monique francoise nathalie christine chantal valerie
veronique sandrine celine aurelie camille lea manon chloe lucas hugo louis jules gabriel antoine mathieu guillaume
julien maxime romain benoit emilie elodie antonio jose manuel francisco juan david javier daniel carlos jesus
alejandro miguel rafael pedro pablo angel sergio fernando jorge luis alberto alvaro diego adrian raul enrique
ramon vicente ivan ruben oscar maria carmen ana isabel laura cristina marta dolores lucia pilar elena paula raquel
rosa mercedes beatriz teresa silvia nuria andrea sara irene patricia rocio giuseppe giovanni antonio mario luigi
francesco angelo vincenzo pietro salvatore carlo franco domenico bruno paolo michele giorgio aldo sergio luciano
marco luca andrea alessandro matteo lorenzo davide simone stefano roberto anna maria giuseppina rosa angela
giovanna teresa lucia carmela caterina francesca antonietta carla elena concetta rita margherita chiara giulia
martina sara alessia federica valentina elisa silvia paola joao jose antonio francisco carlos paulo pedro lucas
luiz marcos luis gabriel rafael daniel marcelo bruno eduardo felipe thiago rodrigo maria ana francisca antonia
adriana juliana marcia fernanda patricia aline sandra camila amanda bruna jessica leticia julia luciana vanessa
mariana gabriela rita ines catarina joana tiago diogo jan piet kees henk willem johannes cornelis hendrik maria
anna johanna elisabeth daan sem lars bram thijs sanne femke lotte anouk marloes jeroen bas ruud wouter joost anna
maria katarzyna malgorzata agnieszka krystyna barbara ewa elzbieta zofia janina teresa magdalena monika jadwiga
danuta irena halina piotr krzysztof andrzej tomasz pawel jan michal marcin stanislaw jakub adam marek lukasz
grzegorz mateusz wojciech mariusz dariusz zbigniew jerzy maciej rafal robert kamil erik lars karl anders johan per
nils lennart gustav emil elin karin kristina anna eva margareta birgitta ingrid astrid sofia linnea ida hanna kari
ole knut bjorn svein inger marit anne liv soren jorgen henrik niels mette hanne lone kirsten mikko jukka matti
juha timo antti ville sanna tiina paivi maija liisa mehmet mustafa ahmet ali huseyin hasan ibrahim ismail osman
yusuf murat omer ramazan fatma ayse emine hatice zeynep elif meryem serife sultan hanife merve zehra mohamed
muhammad ahmed mahmoud omar khaled youssef hassan hussein fatima aisha khadija zainab mariam layla noor amina
rahul amit sanjay rajesh suresh ramesh vijay anil sunil raj ravi arjun rohan aditya priya pooja neha anjali sunita
geeta anita lakshmi deepa kavita divya shreya aarav vivaan ananya diya aleksandr sergey dmitry andrey alexey maxim
evgeny ivan mikhail nikolay vladimir anastasia olga natalia elena tatiana irina svetlana ekaterina anna maria
ludmila yulia galina nguyen minh anh hoang wei fang li na xiu jing min jun hiroshi takashi kenji yuki haruto
sakura yoko akiko naoki kazuya александр сергей дмитрий андрей алексей максим евгений иван михаил николай владимир
анастасия ольга наталья елена татьяна ирина светлана екатерина анна мария людмила юлия галина олександр оксана
павел артем виктор роман игорь олег антон
"""

_FAMILY_HAN = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
_FAMILY_JAPANESE_TEXT = """
佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 斎藤 清水 山崎
池田 橋本 阿部 石川 前田 藤田 後藤 近藤 岡田 長谷川 村上 遠藤 青木 坂本 藤井 三浦
"""
_FAMILY_JAPANESE = tuple(_FAMILY_JAPANESE_TEXT.split())
_FAMILY_KOREAN = "김이박최정강조윤장임한오서신권황안송류홍전고문손양배백허유남"

GIVEN_NAMES = frozenset(_GIVEN.split())
_WORDS = re.compile(r"[^\W\d_]+")
_HAN_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}")
_JAPANESE_NAME = re.compile(r"[\u4e00-\u9fff々]{1,4}[ \u3000]?[\u3040-\u30ff\u4e00-\u9fff]{1,4}")
_KOREAN_NAME = re.compile(r"[\uac00-\ud7a3]{3}")
_MOST_WORDS = 6


def has_given_name(text: str) -> bool:
    """Whether a text of few words has a common given name in it, with a capital, or is one as Han names are."""
    if _HAN_NAME.fullmatch(text) and text[0] in _FAMILY_HAN:
        return True
    if _JAPANESE_NAME.fullmatch(text) and text.startswith(_FAMILY_JAPANESE):
        return True
    if _KOREAN_NAME.fullmatch(text) and text[0] in _FAMILY_KOREAN:
        return True
    words = _WORDS.findall(text)
    return 1 <= len(words) <= _MOST_WORDS and any(_folded(word) in GIVEN_NAMES for word in words if word[0].isupper())


def _folded(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.lower().replace("ß", "ss").replace("ł", "l").replace("ø", "o"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter) or letter == "\u0306")
